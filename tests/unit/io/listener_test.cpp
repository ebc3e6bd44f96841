#include "runtime/io/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "tests/unit/io/io_test_support.hpp"

namespace trivet::io {
namespace {

struct Accepted {
  process::FileDescriptor socket;
  Peer peer;
};

class ListenerTest : public testing::Test {
 protected:
  ListenerTest() {
    ListenOptions options;
    options.path = path_;
    listener_ = open(options);
  }

  static std::unique_ptr<Listener> open(const ListenOptions& options) {
    auto opened = Listener::open(options);
    EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.error().message);
    return std::move(opened).value();
  }
  void start() {
    listener_->start(loop_, [this](int fd, Peer peer) {
      accepted_.push_back({process::FileDescriptor(fd), std::move(peer)});
    });
  }
  [[nodiscard]] process::FileDescriptor client() const {
    process::FileDescriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_TRUE(made.is_open());
    connect(made);
    return made;
  }
  void connect(const process::FileDescriptor& from) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(from.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  bool accepts(std::size_t n) {
    return run_until(loop_, [&] { return accepted_.size() >= n; }) && accepted_.size() == n;
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_ / "host.sock";
  EventLoop loop_;
  std::unique_ptr<Listener> listener_;
  std::vector<Accepted> accepted_;
};

TEST_F(ListenerTest, TellsWhoConnectsOnAUnixSocket) {
  start();
  const process::FileDescriptor peer = client();
  ASSERT_TRUE(accepts(1));
  EXPECT_TRUE(accepted_[0].peer.local);
  EXPECT_EQ(accepted_[0].peer.uid, ::geteuid());
  EXPECT_EQ(accepted_[0].peer.pid, ::getpid());
  EXPECT_EQ(accepted_[0].peer.text,
            "unix uid=" + std::to_string(::geteuid()) + " pid=" + std::to_string(::getpid()));
  EXPECT_NE(::fcntl(accepted_[0].socket.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(accepted_[0].socket.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(ListenerTest, TellsTheAddressOnTcp) {
  ListenOptions options;
  options.kind = ListenOptions::Kind::tcp;
  options.host = "127.0.0.1";
  listener_ = open(options);
  start();
  const process::FileDescriptor peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(listener_->port());
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::connect(peer.get(), generic, size), 0);
  ASSERT_EQ(::getsockname(peer.get(), generic, &size), 0);
  ASSERT_TRUE(accepts(1));
  EXPECT_FALSE(accepted_[0].peer.local);
  EXPECT_EQ(accepted_[0].peer.text, "127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
}

TEST_F(ListenerTest, TellsTheAddressOnTcpVersionSixInBrackets) {
  ListenOptions options;
  options.kind = ListenOptions::Kind::tcp;
  options.host = "::1";
  listener_ = open(options);
  start();
  const process::FileDescriptor peer(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  address.sin6_port = htons(listener_->port());
  ASSERT_EQ(::connect(peer.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_TRUE(accepts(1));
  EXPECT_THAT(accepted_[0].peer.text, testing::StartsWith("[::1]:"));
}

TEST_F(ListenerTest, AcceptsThoseWhoCameBeforeItStartedAndABurst) {
  std::vector<process::FileDescriptor> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(client());
  start();
  EXPECT_TRUE(accepts(100));
}

TEST_F(ListenerTest, LetsClientsWaitWhilePaused) {
  start();
  const process::FileDescriptor first = client();
  ASSERT_TRUE(accepts(1));
  listener_->pause();
  const process::FileDescriptor second = client();
  const process::FileDescriptor third = client();
  run_for(loop_, std::chrono::milliseconds(10));
  EXPECT_EQ(accepted_.size(), 1U);
  listener_->resume();
  EXPECT_TRUE(accepts(3));
}

TEST_F(ListenerTest, MayBePausedInsideTheCallback) {
  listener_->start(loop_, [this](int fd, Peer peer) {
    accepted_.push_back({process::FileDescriptor(fd), std::move(peer)});
    listener_->pause();
  });
  const process::FileDescriptor first = client();
  const process::FileDescriptor second = client();
  ASSERT_TRUE(accepts(1));
  run_for(loop_, std::chrono::milliseconds(5));
  EXPECT_EQ(accepted_.size(), 1U);
  listener_->resume();
  EXPECT_TRUE(accepts(2));
}

TEST_F(ListenerTest, MayBeDestroyedInsideTheCallback) {
  listener_->start(loop_, [this](int fd, Peer peer) {
    accepted_.push_back({process::FileDescriptor(fd), std::move(peer)});
    listener_.reset();
  });
  const process::FileDescriptor first = client();
  const process::FileDescriptor second = client();
  ASSERT_TRUE(accepts(1));
  run_for(loop_, std::chrono::milliseconds(5));
  EXPECT_EQ(accepted_.size(), 1U);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ListenerTest, RefusesNewClientsOnceStopped) {
  start();
  listener_->stop();
  listener_->stop();
  listener_->resume();
  run_for(loop_, std::chrono::milliseconds(2));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ListenerTest, EmptiesItsBacklogBeforeItFinishes) {
  start();
  listener_->pause();
  std::vector<process::FileDescriptor> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(client());
  std::size_t accepted_at_the_end = 0;
  listener_->finish([&] { accepted_at_the_end = accepted_.size(); });
  EXPECT_EQ(accepted_at_the_end, 0U) << "told inside the call";
  ASSERT_TRUE(run_until(loop_, [&] { return accepted_at_the_end != 0; }));
  EXPECT_EQ(accepted_at_the_end, 100U);
  EXPECT_EQ(listener_->descriptor(), -1);
}

TEST_F(ListenerTest, LetsOthersHaveTheirTurnWhileItEmptiesItsBacklog) {
  start();
  listener_->pause();
  std::vector<process::FileDescriptor> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(client());
  bool finished = false;
  listener_->finish([&] { finished = true; });
  std::size_t accepted_before_the_timer = 0;
  TestTimer timer([&](base::TimePoint) { accepted_before_the_timer = accepted_.size(); });
  loop_.timers().arm(timer, loop_.now());
  ASSERT_TRUE(run_until(loop_, [&] { return finished; }));
  EXPECT_LT(accepted_before_the_timer, 100U);
}

TEST_F(ListenerTest, TellsNobodyThatItFinishedOnceStopped) {
  start();
  const process::FileDescriptor peer = client();
  bool finished = false;
  listener_->finish([&] { finished = true; });
  listener_->stop();
  run_for(loop_, std::chrono::milliseconds(5));
  EXPECT_FALSE(finished);
  EXPECT_EQ(accepted_.size(), 0U);
}

TEST_F(ListenerTest, MayBeDestroyedWhileItFinishes) {
  listener_->start(loop_, [this](int fd, Peer peer) {
    accepted_.push_back({process::FileDescriptor(fd), std::move(peer)});
    listener_.reset();
  });
  const process::FileDescriptor first = client();
  const process::FileDescriptor second = client();
  listener_->finish([] { ADD_FAILURE() << "it was destroyed before"; });
  run_for(loop_, std::chrono::milliseconds(5));
  EXPECT_EQ(accepted_.size(), 1U);
}

// Another process listens on the same socket: the file is its own to remove.
TEST_F(ListenerTest, ThatWasPassedLeavesTheSocketFileAndTheOthersAlone) {
  ListenOptions passed;
  passed.kind = ListenOptions::Kind::descriptor;
  passed.fd = ::fcntl(listener_->descriptor(), F_DUPFD_CLOEXEC, 0);
  const auto owner = std::move(listener_);
  listener_ = open(passed);
  start();
  bool finished = false;
  listener_->finish([&] { finished = true; });
  ASSERT_TRUE(run_until(loop_, [&] { return finished; }));
  EXPECT_TRUE(std::filesystem::exists(path_));
  const process::FileDescriptor peer = client();  // waits for the other
}

TEST_F(ListenerTest, C91_SurvivesClientsThatAreGoneBeforeTheyAreAccepted) {
  for (int i = 0; i < 10; ++i) (void)client();
  start();
  const process::FileDescriptor stays = client();
  ASSERT_TRUE(run_until(loop_, [&] { return accepted_.size() == 11; }));
}

/// Leaves the process `spare` descriptors; the limit comes back with the test.
class OutOfDescriptors : public ListenerTest {
 protected:
  OutOfDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    listener_->on_trouble([this](const base::Error& error) { troubles_.push_back(error.message); });
  }
  ~OutOfDescriptors() override { restore(); }

  void restore() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  void leave_none() {
    rlimit limit = before_;
    // The lowest free number is the next one to be used; from it on there are none.
    const process::FileDescriptor next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    limit.rlim_cur = static_cast<rlim_t>(next.get());
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }

  rlimit before_{};
  std::vector<std::string> troubles_;
};

TEST_F(OutOfDescriptors, C91_RestsWithoutSpinningAndGoesOnByItself) {
  start();
  std::vector<process::FileDescriptor> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(client());
  leave_none();
  const auto used = processor_time();
  run_for(loop_, std::chrono::milliseconds(400));
  const auto spent = processor_time() - used;
  restore();  // before anything is looked at: the checks of UBSan need a descriptor themselves
  EXPECT_LT(spent, std::chrono::milliseconds(40)) << "the loop spins";
  EXPECT_EQ(accepted_.size(), 0U);
  ASSERT_EQ(troubles_.size(), 1U) << "told once, not at every try";
  EXPECT_THAT(troubles_[0], testing::EndsWith("Too many open files"));

  const base::TimePoint restored = base::Clock::now();
  EXPECT_TRUE(accepts(20));
  EXPECT_LT(base::Clock::now() - restored, std::chrono::seconds(1));
}

TEST_F(OutOfDescriptors, TellsAgainAfterItHadRecovered) {
  start();
  std::vector<process::FileDescriptor> clients;
  clients.push_back(client());
  clients.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  leave_none();
  EXPECT_TRUE(run_until(loop_, [&] { return troubles_.size() == 1; }));
  restore();
  ASSERT_TRUE(accepts(1));
  leave_none();
  connect(clients[1]);
  EXPECT_TRUE(run_until(loop_, [&] { return troubles_.size() == 2; }));
}

TEST_F(OutOfDescriptors, AcceptsAtOnceWhenToldThatOneIsFree) {
  start();
  const process::FileDescriptor peer = client();
  leave_none();
  EXPECT_TRUE(run_until(loop_, [&] { return troubles_.size() == 1; }));
  restore();
  const base::TimePoint rest_ends = loop_.timers().next();
  ASSERT_NE(rest_ends, base::TimePoint::max());
  listener_->descriptor_freed();
  EXPECT_TRUE(loop_.timers().empty()) << "still resting";
  EXPECT_TRUE(accepts(1));
}

TEST_F(OutOfDescriptors, FinishesWhenItHasRecovered) {
  start();
  listener_->pause();
  std::vector<process::FileDescriptor> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(client());
  bool finished = false;
  leave_none();
  listener_->finish([&] { finished = true; });
  EXPECT_TRUE(run_until(loop_, [&] { return troubles_.size() == 1; }));
  restore();
  EXPECT_FALSE(finished);
  listener_->descriptor_freed();
  EXPECT_TRUE(run_until(loop_, [&] { return finished; }));
  EXPECT_EQ(accepted_.size(), 3U);
}

TEST_F(OutOfDescriptors, MayBeDestroyedWhileItRests) {
  listener_->on_trouble([this](const base::Error& error) {
    troubles_.push_back(error.message);
    listener_.reset();
  });
  start();
  const process::FileDescriptor peer = client();
  leave_none();
  EXPECT_TRUE(run_until(loop_, [&] { return troubles_.size() == 1; }));
  run_for(loop_, std::chrono::milliseconds(2));
  EXPECT_TRUE(loop_.timers().empty());
}

}  // namespace
}  // namespace trivet::io
