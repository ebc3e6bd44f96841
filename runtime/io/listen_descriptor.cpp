#include "runtime/io/listen_descriptor.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace trivet::io {

namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::system_error;

/// -1: getsockopt failed.
int socket_option(int fd, int option) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

Result<ListenDescriptor> open_unix(const ListenOptions& options) {
  ListenDescriptor opened;
  opened.family = AF_UNIX;
  opened.socket = process::FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!opened.socket.is_open()) return system_error("cannot make a socket", errno);
  Result<UnixSocketFile> file = UnixSocketFile::listen(
      opened.socket, {options.path, static_cast<mode_t>(options.mode), options.group, options.backlog});
  if (!file) return file.error();
  opened.file = std::move(*file);
  return opened;
}

/// A numeric address with its port; the size is 0 where the host is not one.
socklen_t tcp_address(const std::string& host, std::uint16_t port, sockaddr_storage& address) noexcept {
  auto& v4 = reinterpret_cast<sockaddr_in&>(address);   // NOLINT: what sockaddr_storage is for
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address);  // NOLINT
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return sizeof v4;
  }
  if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    return sizeof v6;
  }
  return 0;
}

std::uint16_t bound_port(int fd) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;                // NOLINT
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);  // NOLINT
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<sockaddr_in6&>(address).sin6_port);  // NOLINT
  return 0;
}

Result<ListenDescriptor> open_tcp(const ListenOptions& options) {
  const bool v6 = options.host.find(':') != std::string::npos;
  const std::string text =
      (v6 ? "[" + options.host + "]:" : options.host + ":") + std::to_string(options.port);
  sockaddr_storage address{};
  const socklen_t size = tcp_address(options.host, options.port, address);
  if (size == 0) {
    return Error{ErrorCode::config_invalid, "\"" + options.host + "\" is not a numeric IPv4 or IPv6 address"};
  }
  ListenDescriptor opened;
  opened.family = address.ss_family;
  opened.socket =
      process::FileDescriptor(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!opened.socket.is_open()) return system_error("cannot make a socket for " + text, errno);
  const int fd = opened.socket.get();
  const int on = 1;
  // REUSEADDR: connections of an earlier run in TIME_WAIT do not block the port; a live listener still does.
  // V6ONLY: [::] is IPv6 alone, so that an IPv4 client is never seen under a mapped address.
  if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      (v6 && ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)) {
    return system_error("cannot set up the socket for " + text, errno);
  }
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||  // NOLINT
      ::listen(fd, options.backlog) != 0) {
    if (errno == EADDRINUSE) {
      return Error{ErrorCode::system_failure,
                   "another process listens on " + text + ": stop it or choose another port"};
    }
    return system_error("cannot listen on " + text, errno);
  }
  opened.port = bound_port(fd);
  return opened;
}

/// Whether the descriptor is what a web server gives to an application that it starts: a socket that listens
/// (FastCGI 1.0, 2.2).
Result<sa_family_t> check_listening(int fd) {
  const auto refuse = [fd](const char* why) {
    return Error{ErrorCode::config_invalid, "descriptor " + std::to_string(fd) + " " + why};
  };
  struct stat found{};
  if (fd < 0 || ::fstat(fd, &found) != 0) return refuse("is not open");
  if (!S_ISSOCK(found.st_mode)) return refuse("is not a socket");
  if (socket_option(fd, SO_TYPE) != SOCK_STREAM) return refuse("is not a stream socket");
  const int family = socket_option(fd, SO_DOMAIN);
  if (family != AF_UNIX && family != AF_INET && family != AF_INET6) {
    return refuse("is neither a unix nor a TCP socket");
  }
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0) {  // NOLINT
    return refuse("is a connection, not a listening socket");
  }
  if (errno != ENOTCONN) return system_error("cannot look at descriptor " + std::to_string(fd), errno);
  if (socket_option(fd, SO_ACCEPTCONN) != 1) return refuse("is a socket that does not listen");
  return static_cast<sa_family_t>(family);
}

Result<ListenDescriptor> open_descriptor(const ListenOptions& options) {
  const Result<sa_family_t> family = check_listening(options.fd);
  if (!family) return family.error();
  ListenDescriptor opened;
  opened.family = family.value();
  if (options.fd > STDERR_FILENO) {
    opened.socket = process::FileDescriptor(options.fd);
    if (::fcntl(options.fd, F_SETFD, FD_CLOEXEC) != 0)
      return system_error("cannot take over the socket", errno);
  } else {
    // A standard stream stays open whatever happens to the listener: something else that was opened later
    // must not become the standard input of the programs that a plugin starts.
    opened.socket = process::FileDescriptor(::fcntl(options.fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    const process::FileDescriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!opened.socket.is_open() || !null.is_open() || ::dup2(null.get(), options.fd) < 0) {
      return system_error("cannot take over descriptor " + std::to_string(options.fd), errno);
    }
  }
  // mod_fcgid hands over a blocking one: an accept() that loses a race would stop the loop.
  const int flags = ::fcntl(opened.socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(opened.socket.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return system_error("cannot make the socket non-blocking", errno);
  }
  opened.port = bound_port(opened.socket.get());
  if (!options.path.empty()) opened.file = UnixSocketFile::adopt(options.path);
  return opened;
}

}  // namespace

Result<ListenDescriptor> open_listen_descriptor(const ListenOptions& options) {
  switch (options.kind) {
    case ListenOptions::Kind::unix_path:
      return open_unix(options);
    case ListenOptions::Kind::tcp:
      return open_tcp(options);
    case ListenOptions::Kind::descriptor:
      return open_descriptor(options);
  }
  return Error{ErrorCode::config_invalid, "unknown kind of address"};
}

}  // namespace trivet::io
