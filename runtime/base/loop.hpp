#pragma once

#include <utility>

#include "runtime/base/clock.hpp"
#include "runtime/base/timer_queue.hpp"

namespace trivet::base {

/// Something to be run once on the loop. Intrusive: posting allocates nothing.
///
/// Lifetime  The poster keeps it alive until run(); it must not be posted again before that.
class Task {
 public:
  Task() noexcept = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  virtual ~Task() = default;

  virtual void run() = 0;  ///< [loop]

 private:
  friend class TaskList;
  Task* next_ = nullptr;
};

/// A FIFO of tasks. Not thread safe.
class TaskList {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  void push(Task& task) noexcept {
    task.next_ = nullptr;
    *last_ = &task;
    last_ = &task.next_;
  }
  /// Null when empty.
  Task* pop() noexcept {
    Task* task = first_;
    if (task != nullptr) {
      first_ = task->next_;
      if (first_ == nullptr) last_ = &first_;
    }
    return task;
  }
  TaskList() noexcept = default;
  TaskList(const TaskList&) = delete;
  TaskList& operator=(const TaskList&) = delete;
  ~TaskList() = default;
  void swap(TaskList& other) noexcept {
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
    if (first_ == nullptr) last_ = &first_;
    if (other.first_ == nullptr) other.last_ = &other.first_;
  }

 private:
  Task* first_ = nullptr;
  Task** last_ = &first_;
};

/// What everything above io needs of an event loop, so that tests and simulations bring their own.
class Loop {
 public:
  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop() = default;

  /// The time of the current turn. [loop]
  [[nodiscard]] virtual TimePoint now() const noexcept = 0;
  /// The time of this moment, for measuring what happens within a turn. [loop]
  [[nodiscard]] virtual TimePoint exact_now() const noexcept { return now(); }
  /// Timers armed here fire on the loop. [loop]
  virtual TimerQueue& timers() noexcept = 0;
  /// Runs the task on the loop, soon, never inside this call. [any]
  virtual void post(Task& task) noexcept = 0;
};

}  // namespace trivet::base
