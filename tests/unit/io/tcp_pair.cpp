#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/unit/io/io_test_support.hpp"

namespace trivet::io {

Pair Pair::tcp() {
  const process::FileDescriptor listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listening.get(), generic, size), 0);
  EXPECT_EQ(::listen(listening.get(), 1), 0);
  EXPECT_EQ(::getsockname(listening.get(), generic, &size), 0);
  Pair pair;
  pair.peer = process::FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(pair.peer.get(), generic, size), 0);
  pair.host = ::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC);
  EXPECT_GE(pair.host, 0);
  return pair;
}

}  // namespace trivet::io
