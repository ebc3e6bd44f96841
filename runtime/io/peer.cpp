#include "runtime/io/peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <string>

namespace trivet::io {
namespace {

std::string numeric(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, address, text.data(), text.size()) != nullptr ? text.data() : "?";
}

Peer unix_peer(int fd) {
  Peer peer;
  peer.local = true;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    peer.text = "unix uid=? pid=?";
    return peer;
  }
  peer.uid = credentials.uid;
  peer.pid = credentials.pid;
  peer.text = "unix uid=" + std::to_string(peer.uid) + " pid=" + std::to_string(peer.pid);
  return peer;
}

}  // namespace

std::optional<base::IpAddress> ip_of(const sockaddr_storage& address) noexcept {
  switch (address.ss_family) {
    case AF_INET: {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);  // NOLINT: what sockaddr_storage is for
      return base::IpAddress::v4(reinterpret_cast<const std::uint8_t*>(&v4.sin_addr));  // NOLINT
    }
    case AF_INET6:
      return base::IpAddress::v6(
          &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr[0]);  // NOLINT
    default:
      return std::nullopt;
  }
}

Peer peer_of(int fd, const sockaddr_storage& address) {
  const sa_family_t family = address.ss_family;
  if (family == AF_UNIX) return unix_peer(fd);
  Peer peer;
  peer.address = ip_of(address);
  if (!peer.address) {
    peer.text = "?";
    return peer;
  }
  if (family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);  // NOLINT: what sockaddr_storage is for
    peer.text = numeric(AF_INET, &v4.sin_addr) + ":" + std::to_string(ntohs(v4.sin_port));
    return peer;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);  // NOLINT
  const std::string port = std::to_string(ntohs(v6.sin6_port));
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {  // only from a socket that somebody else opened
    peer.text = numeric(AF_INET, &v6.sin6_addr.s6_addr[12]) + ":" + port;
  } else {
    peer.text = "[" + numeric(AF_INET6, &v6.sin6_addr) + "]:" + port;
  }
  return peer;
}

std::optional<Peer> peer_of(int fd) {
  int family = AF_UNSPEC;
  socklen_t size = sizeof family;
  if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) return std::nullopt;
  sockaddr_storage address{};
  size = sizeof address;
  // A unix peer is known by its credentials, which outlive it; a TCP connection that is gone has no peer.
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)  // NOLINT: as accept() takes it
    address.ss_family = AF_UNSPEC;
  if (family == AF_UNIX) address.ss_family = AF_UNIX;
  return peer_of(fd, address);
}

}  // namespace trivet::io
