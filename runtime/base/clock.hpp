#pragma once

#include <chrono>

namespace trivet::base {

/// Monotonic time: a wall clock set back or forward moves no timer.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

}  // namespace trivet::base
