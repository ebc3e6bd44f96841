#include "runtime/base/timer_queue.hpp"

#include <utility>

namespace trivet::base {

Timer::~Timer() { cancel(); }

TimerQueue::~TimerQueue() {
  for (Timer* timer : heap_) timer->queue_ = nullptr;
}

void TimerQueue::place(std::size_t at, Timer* timer) noexcept {
  heap_[at] = timer;
  timer->index_ = at;
}

void TimerQueue::sift_up(std::size_t at) noexcept {
  Timer* moving = heap_[at];
  while (at > 0) {
    const std::size_t parent = (at - 1) / 2;
    if (heap_[parent]->deadline_ <= moving->deadline_) break;
    place(at, heap_[parent]);
    at = parent;
  }
  place(at, moving);
}

void TimerQueue::sift_down(std::size_t at) noexcept {
  Timer* moving = heap_[at];
  while (true) {
    std::size_t child = 2 * at + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->deadline_ < heap_[child]->deadline_) ++child;
    if (moving->deadline_ <= heap_[child]->deadline_) break;
    place(at, heap_[child]);
    at = child;
  }
  place(at, moving);
}

void TimerQueue::arm(Timer& timer, TimePoint deadline) {
  if (timer.queue_ == this) {
    const bool earlier = deadline < timer.deadline_;
    timer.deadline_ = deadline;
    if (earlier) {
      sift_up(timer.index_);
    } else {
      sift_down(timer.index_);
    }
    return;
  }
  timer.cancel();
  heap_.push_back(&timer);
  timer.queue_ = this;
  timer.deadline_ = deadline;
  timer.index_ = heap_.size() - 1;
  sift_up(timer.index_);
}

void TimerQueue::remove(Timer& timer) noexcept {
  const std::size_t at = timer.index_;
  timer.queue_ = nullptr;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(at, last);
  sift_up(at);
  sift_down(last->index_);
}

void TimerQueue::run(TimePoint now) {
  // No more than were armed at the start: a timer that arms itself again for now, or earlier, has to wait for
  // the next run like everybody else.
  for (std::size_t left = heap_.size(); left > 0 && !heap_.empty() && heap_.front()->deadline_ <= now;
       --left) {
    Timer& due = *heap_.front();
    remove(due);
    due.on_timer(now);
  }
}

}  // namespace trivet::base
