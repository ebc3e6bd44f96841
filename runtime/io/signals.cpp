#include "runtime/io/signals.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <optional>

#include "runtime/io/registration.hpp"

namespace trivet::io {

namespace {

constexpr std::array<int, 6> watched_signals = {SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGHUP, SIGUSR2};

// All that a handler can reach. It may run on any thread, plugin threads included, and may still be about to
// write when the signals were given back: so the eventfd is made once and never closed.
std::atomic<int> wake_descriptor{-1};
std::atomic<bool> in_use{false};
std::atomic<std::uint32_t> arrived{0};  // a bit per signal number
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);

extern "C" void note_signal(int number) {
  const int saved = errno;
  arrived.fetch_or(1U << static_cast<unsigned>(number));
  const std::uint64_t one = 1;
  // A full counter is as good as a written one: the loop is going to look.
  [[maybe_unused]] const ssize_t ignored = ::write(wake_descriptor.load(), &one, sizeof one);
  errno = saved;
}

}  // namespace

struct Signals::Impl : std::enable_shared_from_this<Signals::Impl> {
  Impl(EventLoop& on, OnSignal tell) : loop(on), on_signal(std::move(tell)) {}

  /// The eventfd in the set of the loop.
  class Wake final : public Registration {
   public:
    explicit Wake(Impl& owner) : Registration(owner.loop, wake_descriptor.load()), owner_(owner) {}

   private:
    void on_ready(std::uint32_t /*events*/) override { owner_.deliver(); }
    Impl& owner_;
  };

  base::Result<> install();
  void deliver();
  void restore() noexcept;

  EventLoop& loop;
  OnSignal on_signal;
  std::optional<Wake> wake;
  std::array<struct sigaction, watched_signals.size()> before{};
  std::size_t installed = 0;
  bool owner = false;
  bool stopped = false;
};

base::Result<> Signals::Impl::install() {
#ifdef __SANITIZE_THREAD__
  // The sanitizer keeps a thread's signals in memory that it makes at the first call that may block, and
  // loses those that come meanwhile.
  ::usleep(0);
#endif
  if (in_use.exchange(true)) {
    return base::Error{base::ErrorCode::system_failure,
                       "another part of this process watches signals already"};
  }
  owner = true;
  if (wake_descriptor.load() < 0) wake_descriptor.store(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (wake_descriptor.load() < 0) return base::system_error("cannot make an eventfd", errno);
  wake.emplace(*this);
  if (const int error = wake->want(EPOLLIN); error != 0)
    return base::system_error("cannot watch signals", error);
  arrived.store(0);

  struct sigaction action{};
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  action.sa_handler = &note_signal;
  action.sa_flags = SA_RESTART;
  ::sigfillset(&action.sa_mask);
  for (; installed < watched_signals.size(); ++installed) {
    if (::sigaction(watched_signals[installed], &action, &before[installed]) != 0) {
      return base::system_error("cannot watch signals", errno);
    }
  }
  return base::success();
}

void Signals::Impl::deliver() {
  const std::shared_ptr<Impl> self = shared_from_this();  // `on_signal` may destroy the watch
  std::uint64_t count = 0;
  while (::read(wake->descriptor(), &count, sizeof count) < 0 && errno == EINTR) {
  }
  const std::uint32_t numbers = arrived.exchange(0);
  for (const int number : watched_signals) {
    if (stopped) return;  // by the callback
    if ((numbers & 1U << static_cast<unsigned>(number)) != 0) on_signal(number);
  }
}

void Signals::Impl::restore() noexcept {
  stopped = true;
  while (installed > 0) {
    --installed;
    ::sigaction(watched_signals[installed], &before[installed], nullptr);
  }
  wake.reset();
  if (std::exchange(owner, false)) in_use.store(false);
}

base::Result<std::unique_ptr<Signals>> Signals::open(EventLoop& loop, OnSignal on_signal) {
  std::unique_ptr<Signals> signals(new Signals(std::make_shared<Impl>(loop, std::move(on_signal))));
  if (base::Result<> installed = signals->impl_->install(); !installed) return installed.error();
  return signals;
}

Signals::Signals(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Signals::~Signals() { impl_->restore(); }

}  // namespace trivet::io
