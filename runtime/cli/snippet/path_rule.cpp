#include "runtime/cli/snippet/path_rule.hpp"

#include <algorithm>
#include <cstddef>

#include "runtime/config/pattern.hpp"

namespace trivet::cli::snippet {
namespace {

bool is_plain(char each) noexcept {
  return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
         each == '_' || each == '-' || each == '/';
}

void add_literal(std::string& regex, char each, RegexUnit unit) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(each);
  if (is_plain(each) || (unit == RegexUnit::code_point && byte >= 0x80U)) {
    regex += each;
    return;
  }
  regex += "\\x";
  regex += digits[byte >> 4U];
  regex += digits[byte & 15U];
}

}  // namespace

bool is_plain(std::string_view path) noexcept {
  return std::all_of(path.begin(), path.end(), [](char each) { return is_plain(each) || each == '.'; });
}

PathRule path_rule(std::string_view pattern) {
  using Shape = PathRule::Shape;
  if (pattern == "/**") return {Shape::everything, {}};
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return {Shape::exact, std::string(pattern)};
  const std::string folder(pattern.substr(0, pattern.rfind('/', star)));
  return {pattern.substr(folder.size()) == "/**" ? Shape::below : Shape::pattern, folder};
}

std::string path_regex(std::string_view pattern, RegexUnit unit) {
  const auto segments = config::split_pattern(pattern);
  std::string regex = "^";
  for (std::size_t at = 0; at < segments.size(); ++at) {
    if (segments[at] == "**") {
      const bool last = at + 1 == segments.size();
      if (last) return regex + (regex.size() == 1 ? "/" : "(?:/|$)");
      // Not (?:/[^/]*)*, which runs out of room in a path of thousands of segments: servers take that for a
      // path that does not fit. And as little as possible, which finds at once whatever fits.
      regex += "(?:/[\\s\\S]*?)??";
      continue;
    }
    regex += '/';
    for (const char each : segments[at]) {
      if (each == '*') {
        regex += "[^/]*";
      } else {
        add_literal(regex, each, unit);
      }
    }
  }
  return regex + "$";
}

}  // namespace trivet::cli::snippet
