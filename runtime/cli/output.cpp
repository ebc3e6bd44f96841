#include "runtime/cli/output.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace trivet::cli {

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(descriptor, text.data(), text.size());
    if (wrote >= 0) {
      text.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno == EAGAIN) {
      // Whoever shares the terminal or pipe with us may have told it not to block.
      pollfd writable{descriptor, POLLOUT, 0};
      if (::poll(&writable, 1, -1) < 0 && errno != EINTR) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void say(const std::string& text) {
  // Where standard error cannot be written to, nobody is left to be told.
  static_cast<void>(write_all(STDERR_FILENO, "trivet: " + text + "\n"));
}

}  // namespace trivet::cli
