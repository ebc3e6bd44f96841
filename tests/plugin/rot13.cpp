#include <string>
#include <string_view>
#include <trivet/plugin.hpp>

/// Each ASCII letter thirteen places on.
struct Rot13 {
  static constexpr bool never_blocks = true;

  void data(std::string_view chunk, trivet::Output& out, bool) {
    std::string text(chunk);
    for (char& c : text) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>('a' + (c - 'a' + 13) % 26);
      if (c >= 'A' && c <= 'Z') c = static_cast<char>('A' + (c - 'A' + 13) % 26);
    }
    out << text;
  }
};

TRIVET_PLUGIN(Rot13, "rot13", "1.0.0")
