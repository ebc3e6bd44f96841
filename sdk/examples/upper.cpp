#include <trivet/plugin.hpp>

struct Upper {
  static constexpr bool never_blocks = true;
  void data(std::string_view chunk, trivet::Output& out, bool) {
    std::string text(chunk);
    for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    out << text;
  }
};

TRIVET_PLUGIN(Upper, "upper", "1.0.0")
