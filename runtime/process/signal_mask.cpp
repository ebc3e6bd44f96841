#include "runtime/process/signal_mask.hpp"

#include <cerrno>
#include <csignal>

namespace trivet::process {

base::Result<> ignore_sigpipe() {
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  for (const int number : {SIGPIPE, SIGXFSZ}) {
    if (::sigaction(number, &ignore, nullptr) != 0) return base::system_error("cannot ignore SIGPIPE", errno);
  }
  return base::success();
}

void hold_signals() noexcept {
  sigset_t held;
  sigemptyset(&held);
  for (const int each : {SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGHUP}) sigaddset(&held, each);
  ::pthread_sigmask(SIG_BLOCK, &held, nullptr);
}

}  // namespace trivet::process
