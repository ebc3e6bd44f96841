#include "runtime/io/peer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include "tests/unit/io/io_test_support.hpp"

namespace trivet::io {
namespace {

TEST(PeerOfASocket, IsWhoConnectedOnAUnixSocket) {
  const Pair pair = Pair::unix_sockets();
  const process::FileDescriptor host(pair.host);
  const auto peer = peer_of(host.get());
  ASSERT_TRUE(peer.has_value());
  EXPECT_TRUE(peer->local);
  EXPECT_EQ(peer->uid, ::geteuid());
  EXPECT_EQ(peer->pid, ::getpid());
}

TEST(PeerOfASocket, IsItsAddressOnTcp) {
  const Pair pair = Pair::tcp();
  const process::FileDescriptor host(pair.host);
  const auto peer = peer_of(host.get());
  ASSERT_TRUE(peer.has_value());
  EXPECT_FALSE(peer->local);
  ASSERT_TRUE(peer->address.has_value());
  EXPECT_TRUE(peer->address->is_loopback());
  sockaddr_in own{};
  socklen_t size = sizeof own;
  ASSERT_EQ(::getsockname(pair.peer.get(), reinterpret_cast<sockaddr*>(&own), &size), 0);
  EXPECT_EQ(peer->text, "127.0.0.1:" + std::to_string(ntohs(own.sin_port)));
}

TEST(PeerOfASocket, IsStillKnownWhenAUnixPeerIsGone) {
  Pair pair = Pair::unix_sockets();
  const process::FileDescriptor host(pair.host);
  pair.peer.reset();
  const auto peer = peer_of(host.get());
  ASSERT_TRUE(peer.has_value());
  EXPECT_TRUE(peer->local);
  EXPECT_EQ(peer->uid, ::geteuid());
}

// Whatever a rule allows, it allows an address.
TEST(PeerOfASocket, HasNoAddressWithoutAConnection) {
  const process::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto peer = peer_of(socket.get());
  ASSERT_TRUE(peer.has_value());
  EXPECT_FALSE(peer->local);
  EXPECT_FALSE(peer->address.has_value());
  EXPECT_EQ(peer->text, "?");
}

TEST(PeerOfASocket, IsNobodyForWhatIsNoSocket) {
  const process::FileDescriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(peer_of(file.get()).has_value());
}

}  // namespace
}  // namespace trivet::io
