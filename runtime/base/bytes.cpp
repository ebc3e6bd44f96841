#include "runtime/base/bytes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace trivet::base {
namespace {

/// Bytes that are compared and added side by side, in a vector register where the processor has one.
using Lanes [[gnu::vector_size(16)]] = std::uint8_t;
constexpr std::size_t lanes = sizeof(Lanes);
constexpr std::size_t most_counted = 255;  ///< By a lane, before its count is taken.

Lanes load(const std::uint8_t* at) noexcept {
  Lanes bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

/// -1, which is 0xff, where a byte is zero.
Lanes is_zero(const std::uint8_t* at) noexcept { return std::bit_cast<Lanes>(load(at) == 0); }

std::size_t sum(const Lanes& counts) noexcept {
  constexpr std::uint64_t even = 0x00ff00ff00ff00ff;
  std::uint64_t sums = 0;
  for (const std::uint64_t half : std::bit_cast<std::array<std::uint64_t, 2>>(counts))
    sums += (half & even) + ((half >> 8U) & even);
  return static_cast<std::size_t>((sums * 0x0001000100010001) >> 48U);
}

/// Of at least as many as there are lanes, and no more than these can count.
std::size_t count_side_by_side(Bytes bytes) noexcept {
  constexpr std::size_t step = 4 * lanes;
  const std::uint8_t* at = bytes.data();
  const std::uint8_t* const end = at + bytes.size();
  Lanes counts = {};
  for (const std::uint8_t* const last = end - bytes.size() % step; at != last; at += step)
    counts -= is_zero(at) + is_zero(at + lanes) + is_zero(at + 2 * lanes) + is_zero(at + 3 * lanes);
  for (const std::uint8_t* const last = end - bytes.size() % lanes; at != last; at += lanes)
    counts -= is_zero(at);
  // The last lanes once more, without those that were counted.
  static constexpr std::array<std::uint8_t, 2 * lanes> mask = [] {
    std::array<std::uint8_t, 2 * lanes> made{};
    std::fill(made.begin() + lanes, made.end(), 0xff);
    return made;
  }();
  counts -= is_zero(end - lanes) & load(mask.data() + (end - at));
  return sum(counts);
}

}  // namespace

std::size_t count_zeros(Bytes bytes) noexcept {
  std::size_t zeros = 0;
  while (bytes.size() >= lanes) {
    const std::size_t now = std::min(bytes.size(), most_counted * lanes);
    zeros += count_side_by_side(bytes.first(now));
    bytes = bytes.subspan(now);
  }
  return zeros + static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), 0));
}

}  // namespace trivet::base
