#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <optional>
#include <string>

#include "runtime/base/network.hpp"

namespace trivet::io {

/// Who connected, for allow lists and logs.
struct Peer {
  std::string text;    ///< "127.0.0.1:41234", "[::1]:41234", "unix uid=33 pid=1234"
  bool local = false;  ///< AF_UNIX: uid and pid are set
  uid_t uid = static_cast<uid_t>(-1);
  pid_t pid = 0;
  std::optional<base::IpAddress> address;  ///< TCP
};

/// Of a connection that was just accepted from `address`.
[[nodiscard]] Peer peer_of(int fd, const sockaddr_storage& address);
/// Of any connected socket, as the kernel tells it: who connected at the time, whoever holds `fd` now.
/// Nothing where it is no socket. One that is gone may have no address any more.
[[nodiscard]] std::optional<Peer> peer_of(int fd);

/// The address of a TCP socket; nothing for others.
[[nodiscard]] std::optional<base::IpAddress> ip_of(const sockaddr_storage& address) noexcept;

}  // namespace trivet::io
