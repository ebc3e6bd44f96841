#include "runtime/io/connect.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace trivet::io {
namespace {

Begun begin(int family, const sockaddr* address, socklen_t size) {
  Begun begun;
  begun.socket = process::FileDescriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!begun.socket.is_open()) {
    begun.error = errno;
    return begun;
  }
  // Interrupted it goes on by itself, and is not to be begun again.
  if (::connect(begun.socket.get(), address, size) != 0 && errno != EINPROGRESS && errno != EINTR) {
    begun.error = errno;
    begun.socket = process::FileDescriptor();
  }
  return begun;
}

}  // namespace

Begun begin_unix_connection(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path) return {{}, ENAMETOOLONG};
  std::memcpy(name.sun_path, path.data(), path.size());
  return begin(AF_UNIX, reinterpret_cast<const sockaddr*>(&name), sizeof name);  // NOLINT: the kernel's types
}

Begun begin_tcp_connection(const std::string& host, std::uint16_t port) {
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    return begin(AF_INET6, reinterpret_cast<const sockaddr*>(&six), sizeof six);  // NOLINT
  }
  sockaddr_in four{};
  if (::inet_pton(AF_INET, host.c_str(), &four.sin_addr) != 1) return {{}, EINVAL};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  return begin(AF_INET, reinterpret_cast<const sockaddr*>(&four), sizeof four);  // NOLINT
}

}  // namespace trivet::io
