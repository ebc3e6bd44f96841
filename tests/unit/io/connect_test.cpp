#include "runtime/io/connect.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace trivet::io {
namespace {

struct BeginConnection : ::testing::Test {
  BeginConnection() {
    std::string name = (std::filesystem::temp_directory_path() / "trivet-connect-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    path = (folder / "socket").string();
  }
  ~BeginConnection() override { std::filesystem::remove_all(folder); }

  process::FileDescriptor listen_unix(int backlog) const {
    process::FileDescriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.data(), path.size());
    EXPECT_EQ(::bind(made.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    EXPECT_EQ(::listen(made.get(), backlog), 0);
    return made;
  }

  std::filesystem::path folder;
  std::string path;
};

TEST_F(BeginConnection, ToAUnixSocketIsThereAtOnceAndDoesNotBlock) {
  const auto listening = listen_unix(4);
  const Begun begun = begin_unix_connection(path);
  ASSERT_EQ(begun.error, 0);
  EXPECT_EQ(::send(begun.socket.get(), "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_NE(::fcntl(begun.socket.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(begun.socket.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(BeginConnection, SaysWhyThereIsNone) {
  EXPECT_EQ(begin_unix_connection(path).error, ENOENT);
  listen_unix(4).reset();
  EXPECT_EQ(begin_unix_connection(path).error, ECONNREFUSED) << "the file is there, nobody listens";
  EXPECT_EQ(begin_unix_connection("/" + std::string(200, 'x')).error, ENAMETOOLONG);
  EXPECT_EQ(begin_tcp_connection("localhost", 9000).error, EINVAL);
  EXPECT_EQ(begin_tcp_connection("[::1]", 9000).error, EINVAL);
}

TEST_F(BeginConnection, ToAFullBacklogIsForLater) {
  const auto listening = listen_unix(1);
  std::vector<Begun> begun;
  while (begun.empty() || (begun.back().error == 0 && begun.size() < 100))
    begun.push_back(begin_unix_connection(path));
  EXPECT_EQ(begun.back().error, EAGAIN);
  EXPECT_FALSE(begun.back().socket.is_open());
}

TEST_F(BeginConnection, OverTcpFailsLaterOrAtOnceWithTheReason) {
  // A port that was free a moment ago.
  process::FileDescriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  ASSERT_EQ(::bind(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  ASSERT_EQ(::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
  const Begun refused = begin_tcp_connection("127.0.0.1", ntohs(name.sin_port));
  if (refused.error == 0) {
    pollfd ready{refused.socket.get(), POLLOUT, 0};
    ASSERT_EQ(::poll(&ready, 1, 5000), 1);
    EXPECT_EQ(::send(refused.socket.get(), "x", 1, MSG_NOSIGNAL), -1);
    EXPECT_EQ(errno, ECONNREFUSED);
  } else {
    EXPECT_EQ(refused.error, ECONNREFUSED);
  }
  ASSERT_EQ(::listen(probe.get(), 4), 0);
  const Begun begun = begin_tcp_connection("127.0.0.1", ntohs(name.sin_port));
  ASSERT_EQ(begun.error, 0);
  pollfd ready{begun.socket.get(), POLLOUT, 0};
  ASSERT_EQ(::poll(&ready, 1, 5000), 1);
  EXPECT_EQ(::send(begun.socket.get(), "x", 1, MSG_NOSIGNAL), 1);
}

}  // namespace
}  // namespace trivet::io
