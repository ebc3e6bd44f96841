#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace trivet::process {

/// One count: written by one thread, read by any.
using Counter = std::atomic<std::uint64_t>;
static_assert(Counter::is_always_lock_free && sizeof(Counter) == 8, "a count has to fit into shared memory");

/// Load and store instead of fetch_add: there is one writer, and this costs as little as a plain increment.
inline void add(Counter& counter, std::uint64_t n = 1) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}
/// For the few that also go down.
inline void subtract(Counter& counter, std::uint64_t n = 1) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
}
/// For values that something else counts, such as lost log lines.
inline void set(Counter& counter, std::uint64_t n) noexcept { counter.store(n, std::memory_order_relaxed); }
[[nodiscard]] inline std::uint64_t read(const Counter& counter) noexcept {
  return counter.load(std::memory_order_relaxed);
}

/// What one worker counts. The layout is that of a slot in memory shared between processes: fixed, without
/// pointers, all zero at first. Append only; a reader uses what both sides know.
///
/// Thread    Written by the worker's loop only; read by anybody, each value on its own (the values of one
///           moment need not fit together).
/// Lifetime  Outlives everything that counts in it.
struct alignas(64) WorkerCounters {
  enum Role : std::size_t { responder, authorizer, filter };
  enum Verdict : std::size_t { allow, deny, error };

  std::array<Counter, 3> requests{};   ///< Begun, by Role.
  std::array<Counter, 6> responses{};  ///< Complete, by first digit of the Status; 0: none was sent.
  std::array<Counter, 3> verdicts{};   ///< By Verdict.
  Counter connections_accepted{};
  Counter connections_open{};  ///< Now.
  Counter connections_closed{};
  Counter bytes_in{};
  Counter bytes_out{};
  Counter limits_hit{};  ///< Requests refused and connections closed at a bound.
  Counter records_ignored{};
  Counter log_lines_lost{};
  Counter requests_open{};  ///< Now, also those that only a plugin thread still holds.
};

/// Where an answer with this Status is counted.
[[nodiscard]] constexpr std::size_t response_class(int status) noexcept {
  return status >= 100 && status <= 599 ? static_cast<std::size_t>(status / 100) : 0;
}

static_assert(std::is_standard_layout_v<WorkerCounters>);
static_assert(alignof(WorkerCounters) == 64 && sizeof(WorkerCounters) == 192);
static_assert(offsetof(WorkerCounters, responses) == 24 && offsetof(WorkerCounters, verdicts) == 72 &&
              offsetof(WorkerCounters, connections_accepted) == 96 &&
              offsetof(WorkerCounters, log_lines_lost) == 152 &&
              offsetof(WorkerCounters, requests_open) == 160);

}  // namespace trivet::process
