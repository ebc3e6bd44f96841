#include "runtime/host/attach_server.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <map>

#include "runtime/log/memory_log.hpp"
#include "runtime/process/attach_stub.hpp"
#include "tests/unit/io/io_test_support.hpp"

namespace trivet::host {
namespace {

using testing::HasSubstr;

constexpr std::string_view greeting = process::attach_greeting;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

process::FileDescriptor listener(const std::string& path, int type = SOCK_STREAM) {
  process::FileDescriptor made(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  EXPECT_EQ(::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);  // NOLINT
  if (type == SOCK_STREAM) {
    EXPECT_EQ(::listen(made.get(), 5), 0);
  }
  return made;
}

class Attaching : public testing::Test, public AttachServer::Owner {
 protected:
  void SetUp() override {
    attach_.socket = folder_ / "attach.sock";
    ASSERT_TRUE(server_.listen(attach_));
  }
  void on_attached(std::uint32_t id, int socket) override { attached_[id] = socket; }
  void on_detached(std::uint32_t id) override { attached_.erase(id); }

  [[nodiscard]] process::FileDescriptor connect() const {
    process::FileDescriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = address_of(attach_.socket);
    EXPECT_EQ(::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);  // NOLINT
    EXPECT_EQ(::fcntl(made.get(), F_SETFL, O_NONBLOCK), 0);
    return made;
  }
  static void send(const process::FileDescriptor& to, std::string_view bytes,
                   const std::vector<int>& passed) {
    iovec piece{const_cast<char*>(bytes.data()), bytes.size()};  // NOLINT: the kernel only reads it
    alignas(cmsghdr) std::array<char, CMSG_SPACE(8 * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    if (!passed.empty()) {
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(passed.size() * sizeof(int));
      cmsghdr* const about = CMSG_FIRSTHDR(&message);
      about->cmsg_level = SOL_SOCKET;
      about->cmsg_type = SCM_RIGHTS;
      about->cmsg_len = CMSG_LEN(passed.size() * sizeof(int));
      std::memcpy(CMSG_DATA(about), passed.data(), passed.size() * sizeof(int));
    }
    EXPECT_EQ(::sendmsg(to.get(), &message, MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// What the server says, up to its end or, without one, to the end of the line.
  std::string answer(const process::FileDescriptor& from) {
    std::string got;
    EXPECT_TRUE(io::run_until(loop_, [&] {
      std::array<char, 256> bytes{};
      const ssize_t n = ::recv(from.get(), bytes.data(), bytes.size(), 0);
      if (n > 0) got.append(bytes.data(), static_cast<std::size_t>(n));
      return n == 0 || got == process::attach_answer;
    }));
    return got;
  }
  process::FileDescriptor attach(int socket) {
    process::FileDescriptor link = connect();
    send(link, greeting, {socket});
    EXPECT_EQ(answer(link), process::attach_answer);
    return link;
  }
  [[nodiscard]] static std::size_t open_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
    return count;
  }

  io::TemporaryFolder folder_;
  config::Attach attach_;
  io::EventLoop loop_;
  log::MemoryLog log_;
  std::map<std::uint32_t, int> attached_;
  AttachServer server_{loop_, log_, *this, std::chrono::milliseconds(100)};
};

TEST_F(Attaching, ASocketIsAttachedAsLongAsTheConnectionThatItCameOver) {
  const auto socket = listener(folder_ / "web.sock");
  auto link = attach(socket.get());
  ASSERT_EQ(attached_.size(), 1U);
  const int taken = attached_.begin()->second;
  EXPECT_NE(taken, socket.get());
  EXPECT_NE(::fcntl(taken, F_GETFL) & O_NONBLOCK, 0) << "it was passed blocking";
  EXPECT_NE(::fcntl(taken, F_GETFD) & FD_CLOEXEC, 0);
  io::run_for(loop_, std::chrono::milliseconds(150));  // Longer than the patience with those who say nothing.
  EXPECT_EQ(attached_.size(), 1U);
  link.reset();
  EXPECT_TRUE(io::run_until(loop_, [&] { return attached_.empty(); }));
  struct stat found{};
  EXPECT_EQ(::stat((folder_ / "web.sock").c_str(), &found), 0) << "the web server's file was touched";
}

TEST_F(Attaching, WhatIsNoListeningUnixStreamSocketIsRefused) {
  const process::FileDescriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const process::FileDescriptor tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::listen(tcp.get(), 1), 0);
  const process::FileDescriptor deaf(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto datagram = listener(folder_ / "datagram", SOCK_DGRAM);
  const std::size_t before = open_descriptors();
  for (const auto& [socket, why] : {std::pair(null.get(), "is no socket"),
                                    {tcp.get(), "no unix stream socket"},
                                    {deaf.get(), "does not listen"},
                                    {datagram.get(), "no unix stream socket"}}) {
    const auto link = connect();
    send(link, greeting, {socket});
    EXPECT_THAT(answer(link), HasSubstr(why));
  }
  EXPECT_TRUE(attached_.empty());
  EXPECT_EQ(open_descriptors(), before) << "a descriptor was kept";
  EXPECT_TRUE(log_.contains("a socket is not attached"));
}

TEST_F(Attaching, WhatIsNotOneMessageWithOneDescriptorIsRefusedWhereverItIsCut) {
  const auto socket = listener(folder_ / "web.sock");
  const int one = socket.get();
  const std::size_t before = open_descriptors();
  for (std::size_t cut = 1; cut < greeting.size(); ++cut) {
    const auto link = connect();
    send(link, greeting.substr(0, cut), {one});
    EXPECT_THAT(answer(link), HasSubstr("does not speak as")) << cut;
  }
  const std::string more = std::string(greeting) + "x";
  const std::pair<std::string, std::vector<int>> cases[] = {
      {std::string(greeting), {}},
      {std::string(greeting), {one, one}},
      {std::string(greeting), {one, one, one, one, one, one}},
      {more, {one}},
      {"GET / HTTP/1.1\r\n", {one}},
      {std::string(100'000, 'x'), {one}}};
  for (const auto& [bytes, passed] : cases) {
    const auto link = connect();
    send(link, bytes, passed);
    EXPECT_THAT(answer(link), HasSubstr("does not speak as")) << bytes.substr(0, 20);
  }
  EXPECT_TRUE(attached_.empty());
  EXPECT_EQ(open_descriptors(), before) << "a descriptor was kept";
}

TEST_F(Attaching, WhoAttachesTwiceIsDetached) {
  const auto socket = listener(folder_ / "web.sock");
  const auto link = attach(socket.get());
  send(link, greeting, {socket.get()});
  EXPECT_TRUE(io::run_until(loop_, [&] { return attached_.empty(); }));
}

TEST_F(Attaching, WhoPassesNothingIsClosed) {
  const auto silent = connect();
  EXPECT_THAT(answer(silent), HasSubstr("no socket in time"));
}

TEST_F(Attaching, AUserHasABound) {
  attach_.sockets_per_user = 2;
  ASSERT_TRUE(server_.listen(attach_));
  const auto socket = listener(folder_ / "web.sock");
  auto first = attach(socket.get());
  const auto second = attach(socket.get());
  EXPECT_THAT(answer(connect()), HasSubstr("as `sockets_per_user` of `attach` allows"));
  first.reset();
  EXPECT_TRUE(io::run_until(loop_, [&] { return attached_.size() == 1; }));
  const auto third = attach(socket.get());
  EXPECT_EQ(attached_.size(), 2U);
}

TEST_F(Attaching, WithoutASocketNobodyIsAttachedAnyMore) {
  const auto socket = listener(folder_ / "web.sock");
  const auto link = attach(socket.get());
  ASSERT_TRUE(server_.listen(std::nullopt));
  EXPECT_TRUE(attached_.empty());
  struct stat found{};
  EXPECT_NE(::stat(attach_.socket.c_str(), &found), 0);
}

TEST_F(Attaching, AReloadKeepsWhatIsAttachedAndAFailureChangesNothing) {
  const auto socket = listener(folder_ / "web.sock");
  const auto link = attach(socket.get());
  config::Attach broken = attach_;
  broken.group = "no such group";
  EXPECT_FALSE(server_.listen(broken));
  broken = attach_;
  broken.allow_users = {"no such user"};
  const auto failed = server_.listen(broken);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("server.attach: there is no user"));
  broken = attach_;
  broken.socket = folder_ / "none/attach.sock";
  EXPECT_FALSE(server_.listen(broken));
  const auto second = attach(socket.get());
  attach_.socket = folder_ / "other.sock";
  ASSERT_TRUE(server_.listen(attach_));
  const auto third = attach(socket.get());
  EXPECT_EQ(attached_.size(), 3U);
}

/// A connection as another user, in these groups.
class AttachingAsSomebody : public Attaching {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
    attach_.mode = 0666;
    Attaching::SetUp();
  }
  process::FileDescriptor connect_as(uid_t user, gid_t group, const std::vector<gid_t>& groups) {
    EXPECT_EQ(::setgroups(groups.size(), groups.data()), 0);
    EXPECT_EQ(::setegid(group), 0);
    EXPECT_EQ(::seteuid(user), 0);
    auto link = connect();
    EXPECT_EQ(::seteuid(0), 0);
    EXPECT_EQ(::setegid(0), 0);
    EXPECT_EQ(::setgroups(0, nullptr), 0);
    return link;
  }
  bool may(uid_t user, gid_t group, const std::vector<gid_t>& groups) {
    const auto link = connect_as(user, group, groups);
    send(link, greeting, {socket_.get()});
    return answer(link) == process::attach_answer;
  }
  process::FileDescriptor socket_ = listener(folder_ / "web.sock");
};

constexpr uid_t somebody = 65534;

TEST_F(AttachingAsSomebody, NobodyElseMayUnlessTheConfigurationSaysSo) {
  EXPECT_FALSE(may(somebody, 65534, {}));
  attach_.allow_users = {"65534"};
  ASSERT_TRUE(server_.listen(attach_));
  EXPECT_TRUE(may(somebody, 65534, {}));
  EXPECT_FALSE(may(somebody - 1, 65534, {}));
}

TEST_F(AttachingAsSomebody, TheGroupsMembersMay) {
  const group* const wanted = ::getgrnam("daemon");  // NOLINT(concurrency-mt-unsafe)
  ASSERT_NE(wanted, nullptr);
  const gid_t id = wanted->gr_gid;
  attach_.group = "daemon";
  ASSERT_TRUE(server_.listen(attach_));
  EXPECT_TRUE(may(somebody, id, {}));
  EXPECT_TRUE(may(somebody, 65534, {4, id, 5}));
  EXPECT_FALSE(may(somebody, 65534, {}));
  EXPECT_FALSE(may(somebody, 65534, {4, 5}));
}

TEST_F(AttachingAsSomebody, WhoMayNotAnyMoreIsDetachedByTheReload) {
  attach_.allow_users = {"65534"};
  ASSERT_TRUE(server_.listen(attach_));
  const auto link = connect_as(somebody, 65534, {});
  send(link, greeting, {socket_.get()});
  ASSERT_EQ(answer(link), process::attach_answer);
  attach_.allow_users.clear();
  ASSERT_TRUE(server_.listen(attach_));
  EXPECT_TRUE(attached_.empty());
  EXPECT_THAT(answer(link), HasSubstr("may not any more"));
}

}  // namespace
}  // namespace trivet::host
