#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/base/bytes.hpp"
#include "tests/model/require.hpp"

/// What libFuzzer calls, and replay.cpp where there is no libFuzzer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// What the fuzz targets share. A target is one function from bytes to properties that hold for any bytes.
namespace trivet::fuzz {

using model::require;

/// Bytes as decisions: every sequence of bytes is a valid script. Used up, it says zero for ever.
class Script {
 public:
  explicit Script(base::Bytes bytes) noexcept : rest_(bytes) {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
  std::uint8_t byte() noexcept {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }
  std::uint16_t u16() noexcept {
    const unsigned high = byte();
    return static_cast<std::uint16_t>(high << 8U | byte());
  }
  /// 0 .. bound-1; bound is 1..256.
  std::size_t below(std::size_t bound) noexcept { return byte() % bound; }
  /// At most `n` bytes, as they are.
  base::Bytes take(std::size_t n) noexcept {
    const base::Bytes taken = rest_.first(n < rest_.size() ? n : rest_.size());
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  /// A text that begins with its length, at most 255.
  std::string_view text() noexcept {
    const std::size_t size = byte();
    return base::as_text(take(size));
  }

 private:
  base::Bytes rest_;
};

/// Where to cut: the same for the same seed, so that an input that fails fails again.
class Cuts {
 public:
  explicit Cuts(base::Bytes input) noexcept {
    for (const std::uint8_t byte : input) state_ = (state_ ^ byte) * 1099511628211ULL;
  }
  /// The size of the next piece of what is left, at least 1: mostly small, sometimes large.
  std::size_t next(std::size_t left) noexcept {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::uint64_t random = state_ >> 33U;
    const std::size_t piece = 1 + random / 8 % (random % 8 == 0 ? 4096 : 24);
    return piece < left ? piece : left;
  }

 private:
  std::uint64_t state_ = 14695981039346656037ULL;
};

}  // namespace trivet::fuzz
