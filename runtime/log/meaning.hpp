#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace trivet::log {

/// What a byte means to a line. Of several bytes the largest tells.
enum Meaning : unsigned {
  bare,     ///< Stands for itself everywhere.
  plain,    ///< Stands for itself in quotes.
  special,  ///< Is, or may be, written as something else.
};

alignas(64) inline constexpr std::array<unsigned char, 256> meanings = [] {
  std::array<unsigned char, 256> all{};
  all.fill(special);
  for (unsigned c = 0x20; c < 0x7f; ++c) all[c] = plain;
  all['"'] = all['\\'] = special;
  for (unsigned c = '0'; c <= '9'; ++c) all[c] = bare;
  for (unsigned c = 'a'; c <= 'z'; ++c) all[c] = all[c - 'a' + 'A'] = bare;
  for (const char c : std::string_view("-_.,:/@%+")) all[static_cast<unsigned char>(c)] = bare;
  return all;
}();

[[nodiscard]] constexpr unsigned char meaning_of(char c) noexcept {
  return meanings[static_cast<unsigned char>(c)];
}

/// Of all bytes.
[[nodiscard]] constexpr unsigned char meaning_of(std::string_view text) noexcept {
  static_assert((bare | plain) == plain && (plain | special) > plain);
  unsigned char all = bare;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 4; left -= 4, at += 4) {
    all |= meaning_of(at[0]);
    all |= meaning_of(at[1]);
    all |= meaning_of(at[2]);
    all |= meaning_of(at[3]);
  }
  for (; left != 0; --left) all |= meaning_of(*at++);
  return all;
}

/// Whether a value needs no quotes in text.
[[nodiscard]] constexpr bool stands_bare(std::string_view value) noexcept {
  return !value.empty() && meaning_of(value) == bare;
}

}  // namespace trivet::log
