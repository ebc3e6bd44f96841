#pragma once

#include <sys/types.h>
#include <trivet/abi.h>

#include <memory>
#include <string>

#include "runtime/base/error.hpp"
#include "runtime/plugin/note.hpp"
#include "runtime/plugin/private_copy.hpp"

namespace trivet::plugin {

/// The code of one plugin file, loaded from a private copy: whatever happens to the file that was deployed
/// (copied over, truncated, removed), the code that runs stays as it was checked.
///
/// Thread    [startup]
/// Lifetime  The copy stays on disk as long as this lives, so that debuggers and crash reports find its
/// symbols. The
///           code stays mapped until the process ends: destructors of thread_local objects and threads that
///           the plugin left behind may still run it.
/// Errors    What is wrong and the cure, without the plugin's name and file.
class Library {
 public:
  /// `name` begins the name of the copy. `cache_folder` has to exist, on a filesystem that is mounted exec.
  /// `owner` may decide what code runs, beside root and this process's user (refuse_writers()).
  static base::Result<std::unique_ptr<Library>> load(const std::string& path, const std::string& cache_folder,
                                                     const std::string& name, uid_t owner = 0);
  /// The same in two steps, where the copies are made for several processes. The first gives the path of the
  /// copy, runs no code, and leaves the file to the caller; the second leaves it in place for good.
  static base::Result<std::string> make_copy(const std::string& path, const std::string& cache_folder,
                                             const std::string& name, uid_t owner = 0);
  static base::Result<std::unique_ptr<Library>> load_copy(const std::string& path);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  [[nodiscard]] const Note& note() const noexcept { return note_; }
  /// The exported constant, its members beyond the plugin's own size read as null; checked against the note.
  [[nodiscard]] const trivet_plugin& entry() const noexcept { return entry_; }
  [[nodiscard]] const std::string& copy() const noexcept { return copy_; }

 private:
  struct Code;  ///< What Boost.DLL keeps.

  Library();
  base::Result<> open(const OpenFile& copy);
  base::Result<> shake_hands();

  std::string copy_;
  bool is_ours_ = false;  ///< The copy goes with this.
  Note note_;
  trivet_plugin entry_{};
  std::unique_ptr<Code> code_;
};

/// A plugin's exported constant as this host may read it: `size` members copied, the rest null. Checks magic,
/// size and ABI, that name and version are there, and that each role it offers is complete.
///
/// Errors  What is wrong and the cure, without the name of the file.
[[nodiscard]] base::Result<trivet_plugin> read_entry(const trivet_plugin& exported);

/// The same for the table of one role.
[[nodiscard]] trivet_responder read_table(const trivet_responder& table) noexcept;
[[nodiscard]] trivet_authorizer read_table(const trivet_authorizer& table) noexcept;
[[nodiscard]] trivet_filter read_table(const trivet_filter& table) noexcept;

}  // namespace trivet::plugin
