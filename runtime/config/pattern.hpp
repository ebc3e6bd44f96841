#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trivet::config {

struct PatternProblem {
  std::string message;
  std::string hint;
};

/// What is wrong with the `path` of a route: it starts with '/', `*` stands for characters of one segment,
/// `**` for segments and so is a whole one. Patterns match decoded segments, and no segment that could be a
/// dot segment is ever matched, so neither may stand in one.
[[nodiscard]] std::optional<PatternProblem> find_pattern_problem(std::string_view pattern);

/// The segments of a pattern that starts with '/'; views of it.
[[nodiscard]] std::vector<std::string_view> split_pattern(std::string_view pattern);

/// Whether every path that `narrow` matches is matched by `wide` too. Never true where it is not so.
[[nodiscard]] bool covers(const std::vector<std::string_view>& wide,
                          const std::vector<std::string_view>& narrow);

/// Whether some path is matched by both.
[[nodiscard]] bool meet(const std::vector<std::string_view>& left,
                        const std::vector<std::string_view>& right);

}  // namespace trivet::config
