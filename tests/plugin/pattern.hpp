#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

/// What the writing plugins write: the alphabet over and over, so that a lost, doubled or swapped piece
/// shows.
namespace pattern {

/// The number after `key=` in a query string; 0 without.
inline std::uint64_t number(std::string_view query, std::string_view key) {
  const std::string wanted = std::string(key) + "=";
  std::uint64_t value = 0;
  for (std::size_t at = query.find(wanted); at != std::string_view::npos; at = query.find(wanted, at + 1)) {
    if (at != 0 && query[at - 1] != '&') continue;
    std::from_chars(query.data() + at + wanted.size(), query.data() + query.size(), value);
    break;
  }
  return value;
}

/// `length` bytes of the pattern from its `offset`-th on.
inline std::string bytes(std::uint64_t offset, std::size_t length) {
  std::string text(length, '\0');
  for (std::size_t at = 0; at < length; ++at) text[at] = static_cast<char>('a' + (offset + at) % 26);
  return text;
}

}  // namespace pattern
