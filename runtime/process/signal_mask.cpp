#include "runtime/process/signal_mask.hpp"

#include <cerrno>
#include <csignal>

namespace trivet::process {
namespace {

sigset_t steering_signals() noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int each : {SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGHUP}) sigaddset(&set, each);
  return set;
}

}  // namespace

base::Result<> ignore_sigpipe() {
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  for (const int number : {SIGPIPE, SIGXFSZ}) {
    if (::sigaction(number, &ignore, nullptr) != 0) return base::system_error("cannot ignore SIGPIPE", errno);
  }
  return base::success();
}

void hold_signals() noexcept {
  const sigset_t held = steering_signals();
  ::pthread_sigmask(SIG_BLOCK, &held, nullptr);
}

void release_signals() noexcept {
  const sigset_t held = steering_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &held, nullptr);
}

HeldSignals::HeldSignals() noexcept {
  const sigset_t held = steering_signals();
  ::pthread_sigmask(SIG_BLOCK, &held, &before_);
}

HeldSignals::~HeldSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace trivet::process
