#include "runtime/cgi/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace trivet::cgi {
namespace {

constexpr std::uint8_t token = 1U << 0U;    ///< RFC 9110, 5.6.2
constexpr std::uint8_t control = 1U << 1U;  ///< But a tab.

constexpr auto kinds = [] {
  std::array<std::uint8_t, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<std::uint8_t>(c)] = token;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<std::uint8_t>(c)] = token;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<std::uint8_t>(c)] = token;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<std::uint8_t>(c)] = token;
  for (std::uint8_t byte = 0; byte < 0x20; ++byte) table[byte] = control;
  table['\t'] = 0;
  table[0x7f] = control;
  return table;
}();

std::uint8_t kind_of(char c) noexcept { return kinds[static_cast<std::uint8_t>(c)]; }

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_token(std::string_view text) noexcept {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return (kind_of(c) & token) != 0; });
}

bool has_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) { return (kind_of(c) & control) != 0; });
}

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(at);
    if (first < 0x80) {
      ++at;
      continue;
    }
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() - at < length) return false;
    const std::uint8_t second = byte(at + 1);
    // The second byte's range is what keeps overlong forms, surrogates and too large numbers out.
    const std::uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) return false;
    for (std::size_t i = 2; i < length; ++i) {
      if ((byte(at + i) & 0xc0U) != 0x80U) return false;
    }
    at += length;
  }
  return true;
}

}  // namespace trivet::cgi
