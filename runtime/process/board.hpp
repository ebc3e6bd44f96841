#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/error.hpp"
#include "runtime/process/counters.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::process {

/// What a worker that crashes, or that a plugin ends, leaves behind: whose code ran on the thread that did.
/// Written by a signal handler, or on the way out.
///
/// Thread  Written once, by one thread of the worker; read after the worker has ended.
class CrashNote {
 public:
  /// Async-signal-safe. What is too long is cut; the first caller wins.
  void write(std::string_view plugin, std::string_view route) noexcept;
  void clear() noexcept { state_.store(empty); }
  [[nodiscard]] bool is_written() const noexcept { return state_.load() == written; }
  [[nodiscard]] std::string plugin() const { return text(plugin_); }
  [[nodiscard]] std::string route() const { return text(route_); }

 private:
  enum State : std::uint32_t { empty, being_written, written };
  using Text = std::array<char, 92>;
  static void copy(std::string_view from, Text& to) noexcept;
  /// Up to the first zero byte: another process wrote it, and may have written anything.
  static std::string text(const Text& from);

  std::atomic<std::uint32_t> state_{};
  Text plugin_{};
  Text route_{};
};

/// Whose code runs on one thread of a worker, and for which route: their places in the configuration, from 1;
/// 0: nobody's, none. What is left of a process that ends without a word.
///
/// Thread  Written by that thread alone, as plain stores; read after the worker has ended.
struct alignas(64) Running {
  std::atomic<std::uint32_t> plugin{};
  std::atomic<std::uint32_t> route{};
};
/// Of how many threads of a worker that is known; of others it is not.
inline constexpr std::size_t most_running = 128;

/// One worker's part of the board. Fixed layout, all zero at first, no pointers; append only.
struct alignas(64) WorkerSlot {
  WorkerCounters counters;
  CrashNote crash;
  /// Grows as long as the worker's loop turns: by the worker, at least once a second once it is ready.
  Counter beats{};
  /// Plugin threads that are past their deadline and may never come back: by the worker's loop.
  Counter threads_lost{};
  /// The generation of the worker while it serves and takes connections, else 0: by the supervisor.
  std::atomic<std::uint32_t> serving{};
  std::array<Running, most_running> running{};
};
static_assert(sizeof(WorkerSlot) == 448 + 64 * most_running);

/// How many slots a board has: workers of several generations at once.
inline constexpr std::uint32_t most_workers = 4096;

/// Memory that the supervisor and its workers share: one slot for each worker, which alone writes there but
/// for what is the supervisor's. A slot that nobody has used yet costs no memory.
///
/// Thread    [startup] to make and open; slots as they say.
/// Lifetime  Mapped as long as this lives. A slot outlives the worker that wrote it.
/// Errors    Memory of another layout is refused.
class Board {
 public:
  static base::Result<Board> make(std::uint32_t slots);
  /// In a worker: what was passed.
  static base::Result<Board> open(process::FileDescriptor memory);
  ~Board();
  Board(Board&& other) noexcept;
  Board& operator=(Board&& other) = delete;
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  [[nodiscard]] WorkerSlot& slot(std::uint32_t number) const noexcept { return slots_[number]; }
  [[nodiscard]] std::uint32_t slots() const noexcept { return count_; }
  [[nodiscard]] int descriptor() const noexcept { return memory_.get(); }

 private:
  Board() = default;
  base::Result<> map(std::size_t size);

  process::FileDescriptor memory_;
  void* mapped_ = nullptr;
  std::size_t size_ = 0;
  WorkerSlot* slots_ = nullptr;
  std::uint32_t count_ = 0;
};

/// A fault on any thread of this process is noted there, with what `whose` says of the thread; then it takes
/// its usual course. So is exit(), quick_exit(), _Exit() or _exit() called by somebody's code (the last two
/// not in a sanitized build). Every thread needs a FaultStack, or a stack that overflows leaves no note.
///
/// `last` saves what can be saved by calls that are async-signal-safe.
///
/// Thread    [startup], once. Both functions are called on the thread that faulted, inside a signal handler.
/// Lifetime  `note` outlives the process.
struct Whose {
  std::string_view plugin;
  std::string_view route;
};
void note_crashes(CrashNote& note, Whose (*whose)() noexcept, void (*last)() noexcept) noexcept;

/// A stack for signal handlers, for the calling thread as long as this lives: sigaltstack(2).
class FaultStack {
 public:
  FaultStack() noexcept;
  ~FaultStack();
  FaultStack(const FaultStack&) = delete;
  FaultStack& operator=(const FaultStack&) = delete;

 private:
  void* memory_ = nullptr;
};

}  // namespace trivet::process
