#include "runtime/source/dialer.hpp"

#include <cerrno>

#include "runtime/io/connect.hpp"
#include "runtime/io/socket.hpp"

namespace trivet::source {

Dialer::Dialed SocketDialer::dial(io::TransportEvents& events) {
  io::Begun begun{{}, EINVAL};
  if (const auto* local = std::get_if<config::UnixAddress>(&address_)) {
    begun = io::begin_unix_connection(local->path);
  } else if (const auto* remote = std::get_if<config::TcpAddress>(&address_)) {
    begun = io::begin_tcp_connection(remote->host, remote->port);
  }
  if (begun.error != 0) return {nullptr, begun.error};
  return {io::adopt(loop_, begun.socket.release(), events), 0};
}

}  // namespace trivet::source
