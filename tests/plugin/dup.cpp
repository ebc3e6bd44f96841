#include <string_view>
#include <trivet/plugin.hpp>

/// Each chunk twice: its output depends on where the data was cut, and is longer than its input.
struct Dup {
  static constexpr bool never_blocks = true;
  void data(std::string_view chunk, trivet::Output& out, bool) { out << chunk << chunk; }
};

TRIVET_PLUGIN(Dup, "dup", "1.0.0")
