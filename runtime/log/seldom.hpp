#pragma once

#include <cstdint>
#include <optional>

#include "runtime/base/clock.hpp"

namespace trivet::log {

/// Keeps a line that somebody else can provoke from filling the log: due at most once a second.
///
/// Thread  One at a time.
class Seldom {
 public:
  /// Whether to tell now: how often it was not told since the last time. Nothing: not now.
  [[nodiscard]] std::optional<std::uint64_t> due(base::TimePoint now) noexcept {
    if (told_ && now < *told_ + std::chrono::seconds(1)) {
      ++untold_;
      return std::nullopt;
    }
    told_ = now;
    const std::uint64_t untold = untold_;
    untold_ = 0;
    return untold;
  }

 private:
  std::optional<base::TimePoint> told_;
  std::uint64_t untold_ = 0;
};

}  // namespace trivet::log
