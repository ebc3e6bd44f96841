#include "runtime/cli/bench/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace trivet::cli::bench {
namespace {

constexpr std::uint64_t steps = 128;  ///< From one power of two to the next.
constexpr int step_bits = 7;

}  // namespace

/// The exponent picks a row of 128, the seven bits below the highest one the place in it.
std::size_t Histogram::bucket_of(std::uint64_t value) noexcept {
  if (value < steps) return static_cast<std::size_t>(value);
  const int shift = static_cast<int>(std::bit_width(value)) - 1 - step_bits;
  const auto row = static_cast<std::size_t>(shift) + 1;
  return row * steps + static_cast<std::size_t>((value >> shift) & (steps - 1));
}

std::uint64_t Histogram::end_of(std::size_t bucket) noexcept {
  if (bucket < steps) return bucket;
  const std::size_t shift = bucket / steps - 1;
  const std::uint64_t begin = (steps + bucket % steps) << shift;
  return begin + ((std::uint64_t{1} << shift) - 1);
}

void Histogram::add(std::uint64_t value) noexcept {
  ++seen_[bucket_of(value)];
  ++count_;
  smallest_ = std::min(smallest_, value);
  largest_ = std::max(largest_, value);
  sum_ += static_cast<double>(value);
}

std::uint64_t Histogram::at(double share) const noexcept {
  if (count_ == 0) return 0;
  const auto wanted =
      static_cast<std::uint64_t>(std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_)));
  std::uint64_t passed = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    passed += seen_[bucket];
    if (passed >= std::max<std::uint64_t>(wanted, 1)) return std::min(end_of(bucket), largest_);
  }
  return largest_;
}

double Histogram::mean() const noexcept { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

}  // namespace trivet::cli::bench
