#include "runtime/process/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace trivet::process {

base::Result<> ensure_standard_descriptors() {
  for (int wanted = STDIN_FILENO; wanted <= STDERR_FILENO; ++wanted) {
    if (::fcntl(wanted, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lower ones are open by now, so the lowest free number is the wanted one. Not close-on-exec: a
    // program that a plugin starts needs it as much as we do.
    const int got = ::open("/dev/null", O_RDWR);  // NOLINT(android-cloexec-open)
    if (got < 0) return base::system_error("cannot open /dev/null", errno);
    if (got != wanted) {
      ::close(got);
      return base::Error{base::ErrorCode::system_failure,
                         "descriptor " + std::to_string(wanted) + " was closed and could not be opened"};
    }
  }
  return base::success();
}

}  // namespace trivet::process
