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

}  // namespace trivet::process
