#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trivet::config {

/// The candidate that was probably meant by `word`: the same but for case, two typing errors away at most
/// (one where `word` is short), or one the beginning of the other.
[[nodiscard]] std::optional<std::string_view> closest(std::string_view word,
                                                      const std::vector<std::string_view>& candidates);

/// `did you mean X?`, or `known: A, B, C` (at most twelve), or nothing without candidates. Each between
/// `quote`s.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates,
                                       std::string_view quote = "\"");

}  // namespace trivet::config
