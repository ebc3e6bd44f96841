#include "runtime/cli/bench/poller.hpp"

#include <sys/prctl.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace trivet::cli::bench {
namespace {

constexpr unsigned long timer_slack = 1000;  // In nanoseconds; the kernel's own is 50 microseconds.

epoll_event event_of(std::uint64_t tag, bool also_for_writing) noexcept {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | (also_for_writing ? EPOLLOUT : 0U);
  event.data.u64 = tag;
  return event;
}

}  // namespace

base::Result<Poller> Poller::make() {
  Poller made;
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  made.epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!made.epoll_.is_open()) return base::system_error("no epoll", errno);
  ::pthread_sigmask(SIG_BLOCK, &ending, &made.before_);
  made.holds_ = true;
  made.signals_.reset(::signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!made.signals_.is_open() || !made.add(made.signals_.get(), signal_tag)) {
    return base::system_error("no descriptor for signals", errno);
  }
  ::prctl(PR_SET_TIMERSLACK, timer_slack, 0, 0, 0);
  return made;
}

Poller::Poller(Poller&& other) noexcept
    : epoll_(std::move(other.epoll_)),
      signals_(std::move(other.signals_)),
      before_(other.before_),
      holds_(std::exchange(other.holds_, false)) {}

Poller::~Poller() {
  if (!holds_) return;
  // One that came meanwhile has done what it was to do.
  signalfd_siginfo taken;
  while (signals_.is_open() && ::read(signals_.get(), &taken, sizeof taken) > 0) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool Poller::add(int descriptor, std::uint64_t tag) noexcept {
  epoll_event event = event_of(tag, false);
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Poller::watch(int descriptor, std::uint64_t tag, bool also_for_writing) noexcept {
  epoll_event event = event_of(tag, also_for_writing);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, descriptor, &event);
}

base::Result<std::span<const epoll_event>> Poller::wait(std::chrono::nanoseconds at_most) {
  const auto bound = std::max(at_most, std::chrono::nanoseconds(0));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(bound);
  const timespec time{static_cast<time_t>(seconds.count()), static_cast<long>((bound - seconds).count())};
  const int ready =
      ::epoll_pwait2(epoll_.get(), ready_.data(), static_cast<int>(ready_.size()), &time, nullptr);
  if (ready < 0 && errno != EINTR) return base::system_error("waiting failed", errno);
  return std::span<const epoll_event>(ready_).first(static_cast<std::size_t>(std::max(ready, 0)));
}

}  // namespace trivet::cli::bench
