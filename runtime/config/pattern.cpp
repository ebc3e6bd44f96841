#include "runtime/config/pattern.hpp"

#include <algorithm>
#include <cstddef>

#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

bool is_hex(char each) noexcept {
  return (each >= '0' && each <= '9') || (each >= 'a' && each <= 'f') || (each >= 'A' && each <= 'F');
}

bool has_escape(std::string_view text) noexcept {
  for (std::size_t at = 0; at + 2 < text.size(); ++at) {
    if (text[at] == '%' && is_hex(text[at + 1]) && is_hex(text[at + 2])) return true;
  }
  return false;
}

std::optional<PatternProblem> find_segment_problem(std::string_view segment) {
  const std::string_view name = segment.substr(0, segment.find(';'));
  if (name == "." || name == "..") {
    return PatternProblem{"holds the dot segment " + in_quotes(segment),
                          "requests with one are refused before any route"};
  }
  if (segment.find("**") != std::string_view::npos && segment != "**") {
    return PatternProblem{"holds `**` beside other characters",
                          "`**` is a whole segment, as in \"/docs/**\""};
  }
  return std::nullopt;
}

/// Matches `text` against `pattern`, both sequences of elements, where `is_run` elements of the pattern stand
/// for any run of elements. Linear in practice, quadratic at worst: only the last run is ever tried again.
template <class Sequence, class IsRun, class Fits>
bool glob(const Sequence& pattern, const Sequence& text, const IsRun& is_run, const Fits& fits) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t run = pattern.size();  // None yet.
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && is_run(pattern[p])) {
      run = p++;
      resume = t;
    } else if (p < pattern.size() && fits(pattern[p], text[t])) {
      ++p;
      ++t;
    } else if (run < pattern.size()) {
      p = run + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && is_run(pattern[p])) ++p;
  return p == pattern.size();
}

/// A `*` of the narrow segment is a character like any other here, which only a `*` of the wide one fits.
bool segment_covers(std::string_view wide, std::string_view narrow) {
  if (narrow == "**") return false;
  return glob(
      wide, narrow, [](char each) { return each == '*'; },
      [](char left, char right) { return left == right; });
}

/// Whether some sequence fits both: `is_star` elements stand for any number of elements, `meets` tells
/// whether two others can be one.
template <class Sequence, class IsStar, class Meets>
bool common(const Sequence& left, const Sequence& right, const IsStar& is_star, const Meets& meets) {
  // Where the rest of `right` can begin once what is behind `at` of `left` was looked at.
  std::vector<char> below(right.size() + 1, 0);
  std::vector<char> row(right.size() + 1, 0);
  for (std::size_t at = left.size() + 1; at-- > 0;) {
    const bool left_ends = at == left.size();
    const bool left_star = !left_ends && is_star(left[at]);
    for (std::size_t to = right.size() + 1; to-- > 0;) {
      const bool right_ends = to == right.size();
      const bool right_star = !right_ends && is_star(right[to]);
      bool fits = left_ends && right_ends;
      if (left_star) fits = fits || below[to] != 0 || (!right_ends && row[to + 1] != 0);
      if (right_star) fits = fits || row[to + 1] != 0 || (!left_ends && below[to] != 0);
      if (!left_ends && !right_ends && !left_star && !right_star)
        fits = below[to + 1] != 0 && meets(left[at], right[to]);
      row[to] = fits ? 1 : 0;
    }
    std::swap(row, below);
  }
  return below.front() != 0;
}

bool segments_meet(std::string_view left, std::string_view right) {
  if (left.find('*') == std::string_view::npos && right.find('*') == std::string_view::npos)
    return left == right;
  return common(left, right, [](char each) { return each == '*'; }, [](char a, char b) { return a == b; });
}

}  // namespace

std::optional<PatternProblem> find_pattern_problem(std::string_view pattern) {
  if (!pattern.starts_with('/')) {
    return PatternProblem{"does not start with /",
                          "did you mean " + in_quotes("/" + std::string(pattern)) + "?"};
  }
  if (pattern.find('?') != std::string_view::npos) {
    return PatternProblem{"holds a `?`",
                          "a path is matched without its query; `*` stands for any characters"};
  }
  if (has_escape(pattern)) {
    return PatternProblem{"holds a percent escape",
                          "paths are decoded before they are matched: write the character"};
  }
  if (pattern.find('\\') != std::string_view::npos) {
    return PatternProblem{"holds a backslash", "requests with one are refused before any route"};
  }
  if (pattern.find("//") != std::string_view::npos)
    return PatternProblem{"holds an empty segment", "write one / only"};
  for (const std::string_view segment : split_pattern(pattern)) {
    if (auto problem = find_segment_problem(segment)) return problem;
  }
  return std::nullopt;
}

std::vector<std::string_view> split_pattern(std::string_view pattern) {
  std::vector<std::string_view> segments;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    const std::size_t end = std::min(pattern.find('/'), pattern.size());
    segments.push_back(pattern.substr(0, end));
    pattern.remove_prefix(end);
  }
  return segments;
}

bool covers(const std::vector<std::string_view>& wide, const std::vector<std::string_view>& narrow) {
  return glob(wide, narrow, [](std::string_view each) { return each == "**"; }, segment_covers);
}

bool meet(const std::vector<std::string_view>& left, const std::vector<std::string_view>& right) {
  for (std::size_t at = 0; at < left.size() && at < right.size(); ++at) {
    if (left[at].find('*') != std::string_view::npos || right[at].find('*') != std::string_view::npos) break;
    if (left[at] != right[at]) return false;  // Most pairs of a long file, without looking further.
  }
  return common(left, right, [](std::string_view each) { return each == "**"; }, segments_meet);
}

}  // namespace trivet::config
