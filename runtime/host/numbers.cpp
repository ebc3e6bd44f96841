#include "runtime/host/numbers.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace trivet::host {

std::optional<std::vector<std::uint32_t>> read_numbers(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    std::uint32_t number = 0;
    const auto read = std::from_chars(word.begin(), word.end(), number);
    if (read.ec != std::errc() || read.ptr != word.end()) return std::nullopt;
    numbers.push_back(number);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return numbers;
}

}  // namespace trivet::host
