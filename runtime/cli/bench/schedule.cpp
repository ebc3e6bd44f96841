#include "runtime/cli/bench/schedule.hpp"

namespace trivet::cli::bench {
namespace {

constexpr std::uint64_t second = 1'000'000'000;

}  // namespace

// Whole seconds and the rest apart: the product of a day in nanoseconds and a rate does not fit into 64 bits.
Clock::time_point Schedule::intended(std::uint64_t number) const noexcept {
  const std::uint64_t after = number / per_second_ * second + number % per_second_ * second / per_second_;
  return start_ + std::chrono::nanoseconds(after);
}

std::uint64_t Schedule::due(Clock::time_point now) const noexcept {
  if (now < start_) return 0;
  // A request is due when number * second < passed * per_second, `passed` counting the nanosecond that runs.
  const std::uint64_t passed = static_cast<std::uint64_t>(std::chrono::nanoseconds(now - start_).count()) + 1;
  const std::uint64_t whole = passed / second * per_second_;
  const std::uint64_t rest = passed % second * per_second_;
  return rest == 0 ? whole : whole + (rest - 1) / second + 1;
}

}  // namespace trivet::cli::bench
