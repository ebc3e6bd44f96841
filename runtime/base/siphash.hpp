#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace trivet::base {

/// SipHash-2-4 (Aumasson and Bernstein, 2012): who does not know the key cannot choose texts that collide.
[[nodiscard]] inline std::uint64_t siphash(std::array<std::uint64_t, 2> key, std::string_view text) noexcept {
  std::uint64_t a = key[0] ^ 0x736f6d6570736575U;
  std::uint64_t b = key[1] ^ 0x646f72616e646f6dU;
  std::uint64_t c = key[0] ^ 0x6c7967656e657261U;
  std::uint64_t d = key[1] ^ 0x7465646279746573U;
  const auto rounds = [&](int count) {
    for (; count > 0; --count) {
      a += b, c += d;
      b = std::rotl(b, 13) ^ a, d = std::rotl(d, 16) ^ c;
      a = std::rotl(a, 32);
      c += b, a += d;
      b = std::rotl(b, 17) ^ c, d = std::rotl(d, 21) ^ a;
      c = std::rotl(c, 32);
    }
  };
  const auto word = [&](std::size_t at, std::size_t size) {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < size; ++i)
      bytes |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[at + i])) << (8 * i);
    return bytes;
  };
  const auto take = [&](std::uint64_t bytes) {
    d ^= bytes;
    rounds(2);
    a ^= bytes;
  };
  const std::size_t whole = text.size() / 8 * 8;
  for (std::size_t at = 0; at < whole; at += 8) take(word(at, 8));
  take(word(whole, text.size() - whole) | static_cast<std::uint64_t>(text.size()) << 56U);
  c ^= 0xffU;
  rounds(4);
  return a ^ b ^ c ^ d;
}

}  // namespace trivet::base
