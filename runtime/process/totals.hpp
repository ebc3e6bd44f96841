#pragma once

#include <array>
#include <cstdint>

namespace trivet::process {

/// What is left of counters once they are read: plain numbers, to be summed over workers and generations.
/// What each one means stands at the counters.

/// Of WorkerCounters.
struct WorkerTotals {
  std::array<std::uint64_t, 3> requests{};
  std::array<std::uint64_t, 6> responses{};
  std::array<std::uint64_t, 3> verdicts{};
  std::uint64_t requests_open = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t connections_closed = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t limits_hit = 0;
  std::uint64_t records_ignored = 0;
  std::uint64_t log_lines_lost = 0;

  [[nodiscard]] std::uint64_t all_requests() const noexcept {
    return requests[0] + requests[1] + requests[2];
  }
};

/// Of PluginCounters.
struct PluginTotals {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t refused = 0;
  std::uint64_t timed = 0;
  std::uint64_t running_time = 0;
  std::uint64_t waiting_time = 0;
  std::uint64_t waiting = 0;
  std::uint64_t running = 0;
  std::uint64_t lost = 0;
  std::uint64_t remembered = 0;
  std::uint64_t not_remembered = 0;
  std::uint64_t shadow_allows = 0;
  std::uint64_t shadow_denies = 0;
};

/// Of RouteCounters.
struct RouteTotals {
  std::uint64_t requests = 0;
  std::array<std::uint64_t, 6> responses{};
  std::array<std::uint64_t, 3> verdicts{};
  std::uint64_t head_time = 0;
};

}  // namespace trivet::process
