#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace trivet::cli::bench {

/// How often which value came, in buckets that grow with the value: percentiles are at most 1/128 too high
/// and never too low, whatever the values are and however many.
///
///   0..127        a bucket each
///   from 128 on   128 buckets between one power of two and the next
///
/// Memory  58 KiB.
class Histogram {
 public:
  void add(std::uint64_t value) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// The largest value of which at most `share` (0 to 1) of all are below or equal, rounded up to the end of
  /// its bucket; 0 without values.
  [[nodiscard]] std::uint64_t at(double share) const noexcept;
  [[nodiscard]] std::uint64_t smallest() const noexcept { return count_ == 0 ? 0 : smallest_; }
  [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }
  [[nodiscard]] double mean() const noexcept;

  /// Which bucket a value is in, and the largest value that is in one.
  [[nodiscard]] static std::size_t bucket_of(std::uint64_t value) noexcept;
  [[nodiscard]] static std::uint64_t end_of(std::size_t bucket) noexcept;
  static constexpr std::size_t buckets = std::size_t{58} * 128;

 private:
  std::array<std::uint64_t, buckets> seen_{};
  std::uint64_t count_ = 0;
  std::uint64_t smallest_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t largest_ = 0;
  double sum_ = 0;
};

}  // namespace trivet::cli::bench
