#pragma once

#include <chrono>
#include <cstdint>

namespace trivet::cli::bench {

using Clock = std::chrono::steady_clock;

/// When the requests of an open loop are meant to start: evenly, whatever becomes of those before. Latency is
/// counted from there, so that an application that stands still is seen to keep everybody waiting who would
/// have come meanwhile, not only the one who was there.
///
/// Memory  None: the moment of any request is computed from its number, without an error that would add up.
class Schedule {
 public:
  /// `per_second`: 1 to 10,000,000.
  Schedule(Clock::time_point start, std::uint64_t per_second) noexcept
      : start_(start), per_second_(per_second) {}

  /// Of the request with this number; the first is 0 and starts at `start`.
  [[nodiscard]] Clock::time_point intended(std::uint64_t number) const noexcept;
  /// How many have started by `now`.
  [[nodiscard]] std::uint64_t due(Clock::time_point now) const noexcept;

 private:
  Clock::time_point start_;
  std::uint64_t per_second_;
};

}  // namespace trivet::cli::bench
