#include "runtime/io/event_loop.hpp"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>

#include "runtime/io/event_loop_impl.hpp"
#include "runtime/io/registration.hpp"

namespace trivet::io {

namespace {

// Which loop this thread runs: tells a post from the loop's own thread without a lock.
thread_local const EventLoop::Impl* running_loop = nullptr;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

process::FileDescriptor made(int descriptor, const char* what) {
  if (descriptor < 0) fail(what);
  return process::FileDescriptor(descriptor);
}

timespec as_timespec(base::TimePoint time) noexcept {
  using std::chrono::duration_cast;
  const auto since =
      std::max<base::Duration>(time.time_since_epoch(), std::chrono::nanoseconds(1));  // 0 is off
  const auto seconds = duration_cast<std::chrono::seconds>(since);
  return {seconds.count(), duration_cast<std::chrono::nanoseconds>(since - seconds).count()};
}

}  // namespace

EventLoop::Impl::Impl()
    : set(made(::epoll_create1(EPOLL_CLOEXEC), "cannot make an epoll set")),
      timer(made(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "cannot make a timer")),
      bell(made(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "cannot make an eventfd")) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  if (::epoll_ctl(set.get(), EPOLL_CTL_ADD, bell.get(), &event) != 0) fail("cannot watch an eventfd");
  event.data.ptr = this;
  if (::epoll_ctl(set.get(), EPOLL_CTL_ADD, timer.get(), &event) != 0) fail("cannot watch a timer");
}

void EventLoop::Impl::end_turn() {
  run_tasks();
  set_wakeup();
  in_turn = false;
  time_known = false;
}

void EventLoop::Impl::run_tasks() {
  if (local.empty()) return;
  // Only those that are here now: what they post waits until ready sockets were looked at.
  base::TaskList batch;
  batch.swap(local);
  while (base::Task* task = batch.pop()) task->run();
}

void EventLoop::Impl::set_wakeup() {
  const base::TimePoint next = timers.next();
  if (next >= wakeup_at) return;
  wakeup_at = next;
  ++wakeups;
  const itimerspec at{{}, as_timespec(next)};
  ::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &at, nullptr);  // Steady clocks are CLOCK_MONOTONIC here.
}

void EventLoop::Impl::on_wakeup() {
  wakeup_at = base::TimePoint::max();
  timers.run(now());
}

void EventLoop::Impl::post_from_elsewhere(base::Task& task) noexcept {
  bool was_empty = false;
  {
    const std::lock_guard lock(remote_mutex);
    was_empty = remote.empty();
    remote.push(task);
  }
  if (!was_empty) return;  // Whoever came first rings.
  // The loop looks at `posted` after it has said that it sleeps: one of the two sees the other.
  posted.store(true);
  if (!asleep.exchange(false)) return;
  const std::uint64_t one = 1;
  // Cannot fail before it has counted to 2^64.
  while (::write(bell.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void EventLoop::Impl::take_posts() noexcept {
  // Reset first, take then: a post in between is taken along, and causes an empty turn.
  posted.store(false);
  base::TaskList taken;
  {
    const std::lock_guard lock(remote_mutex);
    taken.swap(remote);
  }
  while (base::Task* task = taken.pop()) local.push(*task);
}

void EventLoop::Impl::wait() {
  int timeout = 0;
  if (local.empty()) {
    asleep.store(true);
    if (!posted.load()) timeout = -1;
  }
  int count = 0;
  do {
    count = ::epoll_wait(set.get(), found.data(), most_found, timeout);
  } while (count < 0 && errno == EINTR);
  asleep.store(false, std::memory_order_relaxed);

  found_size = count > 0 ? static_cast<std::size_t>(count) : 0;
  found_next = 0;
}

void EventLoop::Impl::look() {
  constexpr std::size_t between_events = 16;
  run_between();
  if (stopped) return;
  if (found_next == found_size)
    wait();  // Else stop() came before all were told, and they are not told again.
  while (found_next < found_size && !stopped) {
    const epoll_event event = found[found_next++];
    if (found_next % between_events == 0) run_between();
    if (event.data.ptr == nullptr) continue;  // the bell, or one that is gone
    turn([&] {
      if (event.data.ptr == this) {
        on_wakeup();
      } else {
        static_cast<Registration*>(event.data.ptr)->tell(event.events);
      }
    });
  }
  if (stopped) return;
  if (posted.load()) {
    turn([this] { take_posts(); });
  } else if (!local.empty()) {
    turn([] {});
  }
}

void EventLoop::Impl::forget(const Registration& registration) noexcept {
  for (std::size_t i = found_next; i < found_size; ++i) {
    if (found[i].data.ptr == &registration) found[i].data.ptr = nullptr;
  }
}

base::Result<std::unique_ptr<EventLoop>> EventLoop::open() {
  try {
    return std::make_unique<EventLoop>();
  } catch (const std::system_error& failure) {
    return base::Error{base::ErrorCode::system_failure,
                       std::string("cannot make an event loop: ") + failure.what()};
  }
}

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::run() {
  Impl& impl = *impl_;
  const EventLoop::Impl* outer = std::exchange(running_loop, &impl);
  if (!impl.stopped) {
    impl.turn([&] { impl.take_posts(); });  // what was armed or posted before
  }
  while (!impl.stopped) impl.look();
  impl.stopped = false;
  running_loop = outer;
}

void EventLoop::stop() noexcept { impl_->stopped = true; }

base::TimePoint EventLoop::now() const noexcept { return impl_->now(); }
base::TimerQueue& EventLoop::timers() noexcept { return impl_->timers; }

void EventLoop::post(base::Task& task) noexcept {
  if (running_loop == impl_.get()) {  // hence within a turn, whose end runs it
    impl_->local.push(task);
  } else {
    impl_->post_from_elsewhere(task);
  }
}

void EventLoop::set_between(base::Task* task) noexcept { impl_->between = task; }

std::span<std::uint8_t> EventLoop::read_buffer() noexcept { return impl_->read_buffer; }
std::uint64_t EventLoop::wakeups_scheduled() const noexcept { return impl_->wakeups; }

}  // namespace trivet::io
