#include <algorithm>
#include <array>
#include <string_view>
#include <trivet/plugin.hpp>

/// Makes ASCII letters upper case and leaves all other bytes as they are, so that UTF-8 stays what it is and
/// the length never changes. Works through a buffer of fixed size, whatever comes at once.
struct Upper {
  static constexpr bool never_blocks = true;

  void data(std::string_view chunk, trivet::Output& out, bool) {
    std::array<char, 4096> buffer;
    while (!chunk.empty()) {
      const std::string_view piece = chunk.substr(0, buffer.size());
      std::transform(piece.begin(), piece.end(), buffer.begin(),
                     [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
      out << std::string_view(buffer.data(), piece.size());
      chunk.remove_prefix(piece.size());
    }
  }
};

TRIVET_PLUGIN(Upper, "upper", "1.0.0")
