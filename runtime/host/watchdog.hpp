#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "runtime/base/clock.hpp"

namespace trivet::host {

/// Looks after one worker: its loop says that it turns (WorkerSlot::beats), and has hung when it has said
/// nothing for `server.watchdog`.
///
/// Two kinds of silence do not count. A worker that somebody stopped (SIGSTOP, a debugger) goes on when they
/// let it. And while the supervisor itself did not look, whatever held it up (a frozen control group, a
/// machine without time for it) held its workers up as well.
///
/// Thread  [loop] of the supervisor.
class Watchdog {
 public:
  /// How often is to be looked.
  static constexpr base::Duration interval = std::chrono::seconds(1);

  /// Without a time nothing ever hangs.
  explicit Watchdog(std::optional<std::chrono::milliseconds> patience) noexcept : patience_(patience) {}

  /// The worker is ready, and its loop begins to turn.
  void begin(std::uint64_t beats, base::TimePoint now) noexcept;
  /// True when it has hung, from then on each time. What it can find out only by asking the kernel it asks
  /// `is_stopped()`, and only where it would say true.
  template <class IsStopped>
  [[nodiscard]] bool has_hung(std::uint64_t beats, base::TimePoint now, IsStopped is_stopped) {
    if (!is_silent(beats, now)) return false;
    if (!is_stopped()) return true;
    silent_ = {};
    return false;
  }

 private:
  /// What passed between two looks counts for that much at most.
  static constexpr base::Duration longest_gap = 2 * interval;

  [[nodiscard]] bool is_silent(std::uint64_t beats, base::TimePoint now) noexcept;

  std::optional<base::Duration> patience_;
  std::uint64_t beats_ = 0;
  base::TimePoint looked_{};
  base::Duration silent_{};
};

}  // namespace trivet::host
