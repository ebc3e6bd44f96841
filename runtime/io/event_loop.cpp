#include "runtime/io/event_loop.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "runtime/io/asio.hpp"

namespace trivet::io {

namespace {

// Which loop this thread runs: tells a post from the loop's own thread without a lock.
thread_local const EventLoop::Impl* running_loop = nullptr;

}  // namespace

EventLoop::Impl::Impl() {
  process::FileDescriptor counter(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!counter.is_open()) throw std::system_error(errno, std::generic_category(), "cannot make an eventfd");
  posted.assign(counter.get());
  posted_descriptor = counter.release();
  await_posts();
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
  if (local.empty() || local_scheduled) return;
  local_scheduled = true;
  asio::post(context, [this] { turn([this] { local_scheduled = false; }); });
}

void EventLoop::Impl::set_wakeup() {
  const base::TimePoint next = timers.next();
  if (next >= wakeup_at) return;
  wakeup_at = next;
  wakeup.expires_at(next);  // ends an earlier wait, whose handler does nothing
  wakeup.async_wait([this, serial = ++wakeup_serial](const error_code&) { on_wakeup(serial); });
}

void EventLoop::Impl::on_wakeup(std::uint64_t serial) {
  if (serial != wakeup_serial) return;
  turn([this] {
    wakeup_at = base::TimePoint::max();
    timers.run(now());
  });
}

void EventLoop::Impl::await_posts() {
  posted.async_wait(Descriptor::wait_read, [this](const error_code& error) {
    if (error == asio::error::operation_aborted) return;
    turn([this] {
      take_posts();
      await_posts();
    });
  });
}

void EventLoop::Impl::take_posts() noexcept {
  // Reset first, take then: a post in between writes again, or is taken along and causes an empty turn.
  std::uint64_t count = 0;
  while (::read(posted_descriptor, &count, sizeof count) < 0 && errno == EINTR) {
  }
  base::TaskList taken;
  {
    const std::lock_guard lock(remote_mutex);
    taken.swap(remote);
  }
  while (base::Task* task = taken.pop()) local.push(*task);
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
  impl.turn([] {});  // what was armed or posted before
  impl.context.run();
  impl.context.restart();
  running_loop = outer;
}

void EventLoop::stop() noexcept { impl_->context.stop(); }

base::TimePoint EventLoop::now() const noexcept { return impl_->now(); }
base::TimerQueue& EventLoop::timers() noexcept { return impl_->timers; }

void EventLoop::post(base::Task& task) noexcept {
  Impl& impl = *impl_;
  if (running_loop == &impl) {  // hence within a turn, whose end runs it
    impl.local.push(task);
    return;
  }
  bool was_empty = false;
  {
    const std::lock_guard lock(impl.remote_mutex);
    was_empty = impl.remote.empty();
    impl.remote.push(task);
  }
  if (!was_empty) return;
  const std::uint64_t one = 1;
  // Cannot fail: the counter is far from full, because it is only written after it was reset.
  while (::write(impl.posted_descriptor, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

std::span<std::uint8_t> EventLoop::read_buffer() noexcept { return impl_->read_buffer; }
std::uint64_t EventLoop::wakeups_scheduled() const noexcept { return impl_->wakeup_serial; }

}  // namespace trivet::io
