#include "runtime/process/spawner.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <climits>

namespace trivet::process {
namespace {

/// -1 where it is no socket.
int socket_option(int descriptor, int option) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

}  // namespace

bool is_spawned() noexcept {
  return socket_option(STDIN_FILENO, SO_TYPE) == SOCK_STREAM &&
         socket_option(STDIN_FILENO, SO_ACCEPTCONN) == 1;
}

void close_leaked_descriptors() noexcept {
  // It fails only for arguments that make no sense, and on kernels without it, where what leaked stays open.
  static_cast<void>(::close_range(STDERR_FILENO + 1, UINT_MAX, 0));
}

}  // namespace trivet::process
