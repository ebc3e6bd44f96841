#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "runtime/base/clock.hpp"

namespace trivet::base {

class TimerQueue;

/// A deadline inside its owner. Destroying or re-arming it is cheap; it fires at most once per arming.
///
/// Thread    [loop], like the TimerQueue that it is armed in.
/// Lifetime  A member of its owner; leaves the queue when destroyed. The queue outlives it.
class Timer {
 public:
  Timer() noexcept = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer();

  [[nodiscard]] bool armed() const noexcept { return queue_ != nullptr; }
  [[nodiscard]] TimePoint deadline() const noexcept { return deadline_; }
  inline void cancel() noexcept;

 protected:
  /// The deadline has passed; the timer is no longer armed and may be armed again, or destroyed, inside.
  virtual void on_timer(TimePoint now) = 0;

 private:
  friend class TimerQueue;
  TimerQueue* queue_ = nullptr;
  std::size_t index_ = 0;
  TimePoint deadline_{};
};

/// A timer that calls one member function of its owner.
template <class Owner, void (Owner::*method)(TimePoint)>
class MemberTimer final : public Timer {
 public:
  explicit MemberTimer(Owner& owner) noexcept : owner_(owner) {}

 private:
  void on_timer(TimePoint now) override { (owner_.*method)(now); }
  Owner& owner_;
};

/// All deadlines of one loop, in a binary heap: arm and cancel are O(log n) and allocate only to grow.
///
/// Thread  [loop].
class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue();

  /// Arms or re-arms.
  void arm(Timer& timer, TimePoint deadline);
  /// Fires everything due at `now`, earliest first. Ends even if timers keep arming themselves for now: what
  /// is then still due waits for the next run.
  void run(TimePoint now);
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  /// TimePoint::max() when empty.
  [[nodiscard]] TimePoint next() const noexcept {
    return heap_.empty() ? TimePoint::max() : heap_.front()->deadline_;
  }

 private:
  friend class Timer;
  void remove(Timer& timer) noexcept;
  void sift_up(std::size_t at) noexcept;
  void sift_down(std::size_t at) noexcept;
  void place(std::size_t at, Timer* timer) noexcept;

  std::vector<Timer*> heap_;
};

void Timer::cancel() noexcept {
  if (armed()) queue_->remove(*this);
}

}  // namespace trivet::base
