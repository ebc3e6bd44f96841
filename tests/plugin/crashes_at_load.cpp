#include <unistd.h>

#include <cstdlib>
#include <trivet/plugin.hpp>

/// Ends the process that loads it, before anything of it is called, where a file `crash-at-load` lies in the
/// working directory.
namespace {

struct Static {
  Static() {
    if (::access("crash-at-load", F_OK) == 0) std::abort();
  }
} const at_load;

}  // namespace

struct CrashesAtLoad {
  static constexpr bool never_blocks = true;
  void handle(trivet::Request&, trivet::Response& out) { out << "loaded\n"; }
};

TRIVET_PLUGIN(CrashesAtLoad, "crashes_at_load", "1.0.0")
