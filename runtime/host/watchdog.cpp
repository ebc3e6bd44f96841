#include "runtime/host/watchdog.hpp"

#include <algorithm>
#include <utility>

namespace trivet::host {

void Watchdog::begin(std::uint64_t beats, base::TimePoint now) noexcept {
  beats_ = beats;
  looked_ = now;
  silent_ = {};
}

bool Watchdog::is_silent(std::uint64_t beats, base::TimePoint now) noexcept {
  const base::Duration passed = now - std::exchange(looked_, now);
  if (std::exchange(beats_, beats) != beats) {
    silent_ = {};
    return false;
  }
  silent_ += std::min(passed, longest_gap);
  return patience_ && silent_ >= *patience_;
}

}  // namespace trivet::host
