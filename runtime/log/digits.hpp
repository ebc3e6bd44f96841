#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

/// Numbers as text, for lines of which there are many. Each function gives the end of what it wrote. Private
/// to this floor.
namespace trivet::log {

inline char* write_digit(char* at, std::uint32_t value) noexcept {
  *at = static_cast<char>('0' + value);
  return at + 1;
}

/// Of 0 to 99.
inline char* write_two_digits(char* at, std::uint32_t value) noexcept {
  static constexpr auto pairs = [] {
    std::array<std::array<char, 2>, 100> all{};
    for (unsigned i = 0; i < all.size(); ++i)
      all.at(i) = {static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10)};
    return all;
  }();
  std::memcpy(at, pairs[value].data(), 2);
  return at + 2;
}

/// Of 0 to 999.
inline char* write_three_digits(char* at, std::uint32_t value) noexcept {
  return write_two_digits(write_digit(at, value / 100), value % 100);
}

inline constexpr std::size_t most_digits = 20;

inline char* write_number(char* at, std::uint64_t value) noexcept {
  if (value < 10) return write_digit(at, static_cast<std::uint32_t>(value));
  if (value < 100) return write_two_digits(at, static_cast<std::uint32_t>(value));
  if (value < 1000) return write_three_digits(at, static_cast<std::uint32_t>(value));
  return std::to_chars(at, at + most_digits, value).ptr;
}

}  // namespace trivet::log
