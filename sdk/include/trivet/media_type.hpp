#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <trivet/output.hpp>
#include <utility>
#include <vector>

/// What a filter asks of a head: which media type the body has, whether a list has it, whether it can be
/// read.
namespace trivet {

namespace sdk {

[[nodiscard]] inline char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] inline bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

/// `*` in `pattern` stands for any characters, also for none. Never slower than both lengths multiplied.
[[nodiscard]] inline bool matches(std::string_view pattern, std::string_view text) noexcept {
  std::size_t at = 0;
  std::size_t in_text = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (in_text < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      retry = in_text;
    } else if (at < pattern.size() && pattern[at] == text[in_text]) {
      ++at;
      ++in_text;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in_text = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

}  // namespace sdk

/// "Text/HTML; charset=utf-8" is "text/html": lower case, without parameters and blanks.
[[nodiscard]] inline std::string media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (!content_type.empty() && sdk::is_blank(content_type.front())) content_type.remove_prefix(1);
  while (!content_type.empty() && sdk::is_blank(content_type.back())) content_type.remove_suffix(1);
  std::string type(content_type);
  std::transform(type.begin(), type.end(), type.begin(), sdk::lower);
  return type;
}

/// A list of media types from the settings. `*` stands for any characters: "text/*", "application/*+json",
/// "*".
///
/// Thread    [any].
class MediaTypes {
 public:
  MediaTypes() = default;
  explicit MediaTypes(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {
    for (std::string& pattern : patterns_) pattern = media_type(pattern);
  }
  /// Whether the list has what this Content-Type says. One that says nothing is only in a list with "*".
  [[nodiscard]] bool contains(std::string_view content_type) const {
    const std::string type = media_type(content_type);
    return std::any_of(patterns_.begin(), patterns_.end(),
                       [&](const std::string& pattern) { return sdk::matches(pattern, type); });
  }

 private:
  std::vector<std::string> patterns_;
};

/// Whether a field that is a list ("Vary: Origin, Accept-Encoding"; "Cache-Control: no-transform") has this
/// word in it, in any case. What follows a `;` or `=` does not count.
[[nodiscard]] inline bool lists_word(std::string_view field, std::string_view word) noexcept {
  while (true) {
    const std::size_t comma = field.find(',');
    std::string_view item = field.substr(0, comma);
    item = item.substr(0, item.find_first_of(";="));
    while (!item.empty() && sdk::is_blank(item.front())) item.remove_prefix(1);
    while (!item.empty() && sdk::is_blank(item.back())) item.remove_suffix(1);
    const bool same = item.size() == word.size() &&
                      std::equal(item.begin(), item.end(), word.begin(),
                                 [](char a, char b) { return sdk::lower(a) == sdk::lower(b); });
    if (same) return true;
    if (comma == std::string_view::npos) return false;
    field.remove_prefix(comma + 1);
  }
}

/// Whether the response has a body, the whole of it, and in no coding: one that a filter can read and
/// rewrite.
[[nodiscard]] inline bool has_plain_body(const Output& out) {
  const unsigned status = out.status();
  if (status == 204 || status == 205 || status == 206 || status == 304) return false;
  const std::string_view coded = out.find_header("Content-Encoding").value_or("");
  return coded.empty() || lists_word(coded, "identity");
}

}  // namespace trivet
