#include "runtime/cli/connect.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace trivet::cli {
namespace {

using Connected = base::Result<process::FileDescriptor>;
using Cure = std::string_view (*)(int error);

/// A blocking connect that SO_SNDTIMEO bounds: for unix sockets there is no other way to wait for a place in
/// the backlog, a connect that does not block gives up at once.
Connected connected(int family, const sockaddr* address, socklen_t size, const std::string& where,
                    std::chrono::milliseconds timeout, Cure cure) {
  process::FileDescriptor made(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!made.is_open()) return base::system_error("no socket for " + where, errno);
  timeval bound{};
  bound.tv_sec = static_cast<decltype(bound.tv_sec)>(timeout.count() / 1000);
  bound.tv_usec = static_cast<decltype(bound.tv_usec)>(timeout.count() % 1000 * 1000);
  ::setsockopt(made.get(), SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
  int error = 0;
  do {
    error = ::connect(made.get(), address, size) == 0 ? 0 : errno;
  } while (error == EINTR);
  if (error != 0 && error != EISCONN) {
    base::Error failed = base::system_error(where + " is not reachable", error);
    failed.message += " (" + std::string(cure(error)) + ")";
    return failed;
  }
  if (::fcntl(made.get(), F_SETFL, ::fcntl(made.get(), F_GETFL) | O_NONBLOCK) != 0) {
    return base::system_error("no socket for " + where, errno);
  }
  if (family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return made;
}

/// One overload for each kind of address.
struct Connect {
  std::chrono::milliseconds timeout;
  Cure cure;

  Connected operator()(const config::UnixAddress& to) const {
    const std::string where = "unix:" + to.path;
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (to.path.size() >= sizeof name.sun_path) {
      return base::Error{base::ErrorCode::system_failure,
                         where + ": the path of a socket has at most 107 bytes"};
    }
    std::memcpy(name.sun_path, to.path.data(), to.path.size());
    return connected(AF_UNIX, reinterpret_cast<const sockaddr*>(&name), sizeof name, where, timeout, cure);
  }

  Connected operator()(const config::TcpAddress& to) const {
    sockaddr_in6 six{};
    if (::inet_pton(AF_INET6, to.host.c_str(), &six.sin6_addr) == 1) {
      six.sin6_family = AF_INET6;
      six.sin6_port = htons(to.port);
      return connected(AF_INET6, reinterpret_cast<const sockaddr*>(&six), sizeof six,
                       "tcp:[" + to.host + "]:" + std::to_string(to.port), timeout, cure);
    }
    const std::string where = "tcp:" + to.host + ":" + std::to_string(to.port);
    sockaddr_in four{};
    if (::inet_pton(AF_INET, to.host.c_str(), &four.sin_addr) != 1) {
      return base::Error{base::ErrorCode::system_failure, where + ": the host is not a numeric address"};
    }
    four.sin_family = AF_INET;
    four.sin_port = htons(to.port);
    return connected(AF_INET, reinterpret_cast<const sockaddr*>(&four), sizeof four, where, timeout, cure);
  }

  Connected operator()(const config::DescriptorAddress& to) const {
    return base::Error{base::ErrorCode::system_failure,
                       "fd:" + std::to_string(to.descriptor) + " is where a host listens"};
  }
  Connected operator()(const config::SystemdAddress& to) const {
    return base::Error{base::ErrorCode::system_failure, "systemd:" + to.name + " is where a host listens"};
  }
  Connected operator()(const config::AttachedAddress& /*to*/) const {
    return base::Error{base::ErrorCode::system_failure, "an attached socket is where a host listens"};
  }
};

}  // namespace

std::string_view cure_of_listener(int error) {
  switch (error) {
    case ENOENT:
      return "there is no such socket: is the host running, and is this the address of a [[listen]]?";
    case ECONNREFUSED:
      return "nobody listens there: is the host running, and is this the address of a [[listen]]?";
    case EACCES:
    case EPERM:
      return "the mode and group of the socket and its folders say who may connect";
    case EPROTOTYPE:
      return "this is not a stream socket";
    case EAGAIN:
    case EINPROGRESS:
    case ETIMEDOUT:
      return "nothing accepted the connection in time: is the host overloaded or stopped?";
    default:
      return "is the host running?";
  }
}

Connected connect_to(const config::Address& address, std::chrono::milliseconds timeout, Cure cure) {
  return std::visit(Connect{timeout, cure}, address);
}

}  // namespace trivet::cli
