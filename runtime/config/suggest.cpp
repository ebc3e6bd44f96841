#include "runtime/config/suggest.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

constexpr std::size_t longest_word =
    64;  ///< Nobody mistypes something longer by two letters and needs our help.

char lower(char each) noexcept { return each >= 'A' && each <= 'Z' ? static_cast<char>(each + 32) : each; }

/// Insertions, deletions, replacements and swaps of neighbours that make one word of the other.
std::size_t distance(std::string_view from, std::string_view to) {
  std::array<std::array<std::size_t, longest_word + 1>, 3> rows{};
  for (std::size_t column = 0; column <= to.size(); ++column) rows[0][column] = column;
  for (std::size_t row = 1; row <= from.size(); ++row) {
    auto& current = rows[row % 3];
    const auto& above = rows[(row + 2) % 3];
    const auto& before = rows[(row + 1) % 3];
    current[0] = row;
    for (std::size_t column = 1; column <= to.size(); ++column) {
      const bool same = lower(from[row - 1]) == lower(to[column - 1]);
      current[column] =
          std::min({above[column] + 1, current[column - 1] + 1, above[column - 1] + (same ? 0 : 1)});
      if (row > 1 && column > 1 && lower(from[row - 1]) == lower(to[column - 2]) &&
          lower(from[row - 2]) == lower(to[column - 1])) {
        current[column] = std::min(current[column], before[column - 2] + 1);
      }
    }
  }
  return rows[from.size() % 3][to.size()];
}

bool begins(std::string_view text, std::string_view with) {
  return text.size() >= with.size() &&
         std::equal(with.begin(), with.end(), text.begin(),
                    [](char left, char right) { return lower(left) == lower(right); });
}

}  // namespace

std::optional<std::string_view> closest(std::string_view word,
                                        const std::vector<std::string_view>& candidates) {
  if (word.empty() || word.size() > longest_word) return std::nullopt;
  std::size_t best = word.size() < 4 ? 2 : 3;  // One more than the typing errors that are allowed.
  std::optional<std::string_view> found;
  for (const std::string_view each : candidates) {
    if (each.empty() || each.size() > longest_word) continue;
    const std::size_t length_difference =
        std::max(each.size(), word.size()) - std::min(each.size(), word.size());
    if (length_difference >= best) continue;
    const std::size_t errors = distance(word, each);
    if (errors < best && errors < std::max(word.size(), each.size())) {
      best = errors;
      found = each;
    }
  }
  if (found) return found;
  for (const std::string_view each : candidates) {
    if (std::min(word.size(), each.size()) >= 3 && (begins(each, word) || begins(word, each))) return each;
  }
  return std::nullopt;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates,
                         std::string_view quote) {
  const auto in_marks = [&](std::string_view each) {
    return std::string(quote) + one_line(each) + std::string(quote);
  };
  if (const auto found = closest(word, candidates)) return "did you mean " + in_marks(*found) + "?";
  if (candidates.empty()) return {};
  constexpr std::size_t most = 12;
  std::string text = "known: ";
  for (std::size_t at = 0; at < std::min(candidates.size(), most); ++at) {
    if (at > 0) text += ", ";
    text += in_marks(candidates[at]);
  }
  if (candidates.size() > most) text += " and " + std::to_string(candidates.size() - most) + " more";
  return text;
}

}  // namespace trivet::config
