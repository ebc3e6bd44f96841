#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

#include "runtime/io/event_loop.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::io {

class Registration;

/// Private to this floor.
///
/// The set holds Registrations, and edge-triggered, so that nobody has to read them, the two descriptors of
/// the loop itself.
struct EventLoop::Impl {
  Impl();

  template <class Body>
  void turn(Body&& body) {
    begin_turn();
    std::forward<Body>(body)();
    end_turn();
  }
  [[nodiscard]] base::TimePoint now() const noexcept {
    if (!time_known) {
      time = base::Clock::now();
      time_known = in_turn;
    }
    return time;
  }
  void begin_turn() noexcept {
    in_turn = true;
    time_known = false;
  }
  void end_turn();
  void run_tasks();
  void set_wakeup();
  void on_wakeup();
  void post_from_elsewhere(base::Task& task) noexcept;
  void take_posts() noexcept;
  void run_between() const {
    if (between != nullptr) between->run();
  }
  /// Waits until something is ready, or only looks where there is something to do already.
  void wait();
  /// Waits, unless a stop() left something of the last time, and tells what was found, until a stop().
  void look();
  /// What was found and not told yet is not for this one.
  void forget(const Registration& registration) noexcept;

  process::FileDescriptor set;
  process::FileDescriptor timer;  // for the earliest deadline
  process::FileDescriptor bell;   // an eventfd: ends the sleep when another thread posts

  static constexpr int most_found = 128;
  std::array<epoll_event, most_found> found;
  std::size_t found_size = 0;
  std::size_t found_next = 0;

  base::TimerQueue timers;
  base::TimePoint wakeup_at = base::TimePoint::max();  // what `timer` is set to
  std::uint64_t wakeups = 0;

  base::TaskList local;  // [loop]
  std::mutex remote_mutex;
  base::TaskList remote;             // guarded by remote_mutex
  std::atomic<bool> posted = false;  // something is, or was a moment ago, in `remote`
  std::atomic<bool> asleep = false;  // and has to be woken

  base::Task* between = nullptr;
  bool stopped = false;
  bool in_turn = false;
  mutable bool time_known = false;
  mutable base::TimePoint time{};
  std::array<std::uint8_t, EventLoop::read_buffer_size> read_buffer;
};

}  // namespace trivet::io
