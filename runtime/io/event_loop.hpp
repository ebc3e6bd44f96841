#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "runtime/base/error.hpp"
#include "runtime/base/loop.hpp"

namespace trivet::io {

/// The event loop of one thread: sockets, listeners, signals, timers and tasks from other threads.
///
/// A *turn* is one event (a socket became ready, a timer fired, tasks arrived) with everything that its
/// handler did, followed by the tasks that were posted meanwhile. now() is read from the clock at most once
/// per turn, when it is first asked for, and stands still until the turn ends: all deadlines that one event
/// sets have the same base. Between turns (before run(), after stop()) it is the time of the call.
///
/// Sockets are watched by epoll: after a request was answered nothing has to be said to the kernel before the
/// next one.
///
/// Timers cost a system call only when the earliest deadline is earlier than the one that the kernel's timer
/// is set to: a request that arms and cancels its timers costs none, and in exchange the kernel's timer may
/// fire once for a deadline that is gone.
///
/// Thread    [loop] for all but post(); the thread that calls run() is the loop's.
/// Lifetime  Outlives every socket, listener, signal watch and timer that was made with it. Tasks that were
///           posted and not run when it goes are forgotten: their posters own them.
/// Memory    One 64 KiB read buffer, shared by all connections.
/// Errors    The constructor throws std::system_error where the kernel gives no epoll set, timer or eventfd
///           [startup]; open() gives that as an Error. Nothing throws later, and handlers must not either.
class EventLoop final : public base::Loop {
 public:
  struct Impl;  ///< Known to the sources of this floor only.
  static constexpr std::size_t read_buffer_size = 64 * 1024;

  static base::Result<std::unique_ptr<EventLoop>> open();
  EventLoop();
  ~EventLoop() override;

  /// Serves until stop(). May be called again afterwards.
  void run();
  /// Makes run() return at the end of this turn; before run(): at once. [loop]; another thread posts a task.
  void stop() noexcept;

  [[nodiscard]] base::TimePoint now() const noexcept override;
  [[nodiscard]] base::TimePoint exact_now() const noexcept override { return base::Clock::now(); }
  base::TimerQueue& timers() noexcept override;
  /// [any]. From the loop's own thread it costs no system call; from another one, one for all tasks that the
  /// loop has not seen yet, and none while the loop is awake. Tasks run in the order in which each thread
  /// posted them, before the loop sleeps again; a task that posts itself again lets sockets have their turn
  /// in between.
  void post(base::Task& task) noexcept override;

  /// To be run before the loop waits, and after every 16 events: the place for what is cheaper done for
  /// several of them at once. It stays the caller's, and outlives run(). Null: nothing.
  void set_between(base::Task* task) noexcept;

  /// For a read whose bytes are used up before the turn ends: the next connection reads into it too.
  [[nodiscard]] std::span<std::uint8_t> read_buffer() noexcept;

  [[nodiscard]] Impl& impl() noexcept { return *impl_; }
  /// How often the kernel's timer was set, for tests.
  [[nodiscard]] std::uint64_t wakeups_scheduled() const noexcept;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace trivet::io
