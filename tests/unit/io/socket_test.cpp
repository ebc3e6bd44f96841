#include "runtime/io/socket.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <numeric>

#include "tests/unit/io/allocation_counter.hpp"
#include "tests/unit/io/io_test_support.hpp"

namespace trivet::io {
namespace {

using Status = Transfer::Status;

class SocketTest : public testing::Test {
 protected:
  SocketTest() { use(Pair::unix_sockets()); }

  void use(Pair pair) {
    peer_ = std::move(pair.peer);
    host_ = pair.host;
    socket_ = adopt(loop_, host_, events_);
  }
  void peer_sends(std::string_view text) {
    ASSERT_EQ(::send(peer_.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  std::string read_text(std::size_t most = 100) {
    std::vector<std::uint8_t> bytes(most);
    const Transfer got = socket_->read(bytes);
    EXPECT_EQ(got.status, Status::ok);
    return std::string(base::as_text(base::Bytes(bytes).first(got.bytes)));
  }
  Status read_status() {
    std::array<std::uint8_t, 100> bytes{};
    return socket_->read(bytes).status;
  }
  /// Writes until the kernel takes no more.
  std::size_t fill() {
    const std::vector<std::uint8_t> bytes(100'000, 'x');
    std::size_t total = 0;
    while (true) {
      const Transfer sent = socket_->write(bytes, {});
      if (sent.status != Status::ok) {
        EXPECT_EQ(sent.status, Status::would_block);
        return total;
      }
      total += sent.bytes;
    }
  }
  void peer_receives(std::size_t n) {
    std::vector<char> bytes(100'000);
    while (n > 0) {
      const ssize_t got = ::recv(peer_.get(), bytes.data(), std::min(bytes.size(), n), 0);
      ASSERT_GT(got, 0);
      n -= static_cast<std::size_t>(got);
    }
  }

  EventLoop loop_;
  RecordingEvents events_;
  process::FileDescriptor peer_;
  int host_ = -1;
  std::unique_ptr<Transport> socket_;
};

TEST_F(SocketTest, ReadsWhatIsThereThenBlocksThenEnds) {
  EXPECT_EQ(read_status(), Status::would_block);
  peer_sends("hello");
  EXPECT_EQ(read_text(3), "hel");
  EXPECT_EQ(read_text(), "lo");
  EXPECT_EQ(read_status(), Status::would_block);
  peer_.reset();
  EXPECT_EQ(read_status(), Status::end);
}

TEST_F(SocketTest, WritesPiecesInARow) {
  const Transfer sent = socket_->write(
      base::as_bytes("head"), std::array{base::as_bytes(" and"), base::Bytes(), base::as_bytes(" body")});
  EXPECT_EQ(sent.bytes, 13U);
  std::array<char, 20> got{};
  EXPECT_EQ(::recv(peer_.get(), got.data(), got.size(), 0), 13);
  EXPECT_STREQ(got.data(), "head and body");
}

TEST_F(SocketTest, WritesNothingWhereThereIsNothing) {
  const Transfer sent = socket_->write({}, {});
  EXPECT_EQ(sent.status, Status::ok);
  EXPECT_EQ(sent.bytes, 0U);
  EXPECT_EQ(::recv(peer_.get(), nullptr, 0, MSG_DONTWAIT), -1);
}

TEST_F(SocketTest, TellsReadableOncePerWish) {
  socket_->await_readable();
  socket_->await_readable();
  peer_sends("a");
  EXPECT_TRUE(run_until(loop_, [&] { return events_.readable > 0; }));
  peer_sends("b");
  run_for(loop_, std::chrono::milliseconds(5));
  EXPECT_EQ(events_.readable, 1);
  socket_->await_readable();  // bytes that are there already count
  EXPECT_TRUE(run_until(loop_, [&] { return events_.readable == 2; }));
}

TEST_F(SocketTest, TellsReadableForTheEnd) {
  socket_->await_readable();
  ::shutdown(peer_.get(), SHUT_WR);
  EXPECT_TRUE(run_until(loop_, [&] { return events_.readable == 1; }));
  EXPECT_EQ(read_status(), Status::end);
}

TEST_F(SocketTest, C35_TellsWritableOnceTheKernelTakesBytesAgain) {
  const std::size_t filled = fill();
  socket_->await_writable();
  run_for(loop_, std::chrono::milliseconds(5));
  EXPECT_EQ(events_.writable, 0);
  peer_receives(filled);
  EXPECT_TRUE(run_until(loop_, [&] { return events_.writable == 1; }));
  EXPECT_EQ(socket_->write(base::as_bytes("more"), {}).status, Status::ok);
}

TEST_F(SocketTest, WaitsForBothDirectionsAtOnce) {
  const std::size_t filled = fill();
  socket_->await_writable();
  socket_->await_readable();
  peer_sends("x");
  EXPECT_TRUE(run_until(loop_, [&] { return events_.readable == 1; }));
  EXPECT_EQ(events_.writable, 0);
  peer_receives(filled);
  EXPECT_TRUE(run_until(loop_, [&] { return events_.writable == 1; }));
}

TEST_F(SocketTest, IsQuietAboutBytesWhilePausedAndTellsThemAfterwards) {
  socket_->await_readable();
  socket_->pause_reading();
  peer_sends("early");
  run_for(loop_, std::chrono::milliseconds(5));
  EXPECT_EQ(events_.readable, 0);
  EXPECT_EQ(events_.hangup, 0);
  socket_->await_readable();
  EXPECT_TRUE(run_until(loop_, [&] { return events_.readable == 1; }));
  EXPECT_EQ(read_text(), "early");
}

TEST_F(SocketTest, TellsReadableAfterManyPausesWithoutAnEvent) {
  for (int i = 0; i < 10; ++i) {
    socket_->await_readable();
    socket_->pause_reading();
  }
  socket_->await_readable();
  peer_sends("x");
  EXPECT_TRUE(run_until(loop_, [&] { return events_.readable == 1; }));
}

TEST_F(SocketTest, EndsTheStreamForThePeerAndGoesOnReading) {
  ASSERT_EQ(socket_->write(base::as_bytes("bye"), {}).status, Status::ok);
  socket_->shutdown_write();
  std::array<char, 10> got{};
  EXPECT_EQ(::recv(peer_.get(), got.data(), got.size(), 0), 3);
  EXPECT_EQ(::recv(peer_.get(), got.data(), got.size(), 0), 0);
  peer_sends("late");
  EXPECT_EQ(read_text(), "late");
}

TEST_F(SocketTest, C35_FailsToWriteToAPeerThatIsGoneWithoutASignal) {
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  struct sigaction saved{};
  ::sigaction(SIGPIPE, &usual, &saved);
  peer_.reset();
  const Transfer sent = socket_->write(base::as_bytes("x"), {});
  ::sigaction(SIGPIPE, &saved, nullptr);
  EXPECT_EQ(sent.status, Status::failed);
  EXPECT_EQ(sent.error, EPIPE);
}

TEST_F(SocketTest, AllocatesNothingToWait) {
  int left = 200;
  std::size_t before = 0;
  std::size_t after = 0;
  events_.when_readable = [&] {
    std::array<std::uint8_t, 10> bytes{};
    (void)socket_->read(bytes);
    if (left == 100) before = allocations();
    if (--left == 0) {
      after = allocations();
      loop_.stop();
      return;
    }
    socket_->pause_reading();
    socket_->await_readable();
    socket_->await_writable();
  };
  events_.when_writable = [&] { peer_sends("x"); };
  socket_->await_readable();
  socket_->await_writable();
  loop_.run();
  EXPECT_EQ(left, 0);
  EXPECT_EQ(before, after);
}

TEST_F(SocketTest, IsClosedWithItsTransport) {
  socket_->await_readable();
  socket_.reset();
  std::array<char, 1> got{};
  EXPECT_EQ(::recv(peer_.get(), got.data(), 1, 0), 0);
  EXPECT_EQ(::fcntl(host_, F_GETFD), -1);
  run_for(loop_, std::chrono::milliseconds(2));
  EXPECT_EQ(events_.readable + events_.writable + events_.hangup, 0);
}

TEST_F(SocketTest, IsClosedThoughNeverWatched) {
  socket_.reset();
  EXPECT_EQ(::fcntl(host_, F_GETFD), -1);
}

TEST_F(SocketTest, IsGivenAwayOpenWithWhatWasNotRead) {
  socket_->await_readable();
  socket_->await_writable();
  run_for(loop_, std::chrono::milliseconds(1));
  socket_->await_readable();
  peer_sends("not yet read");
  const process::FileDescriptor given(socket_->release());
  EXPECT_EQ(given.get(), host_);
  socket_.reset();
  run_for(loop_, std::chrono::milliseconds(2));
  EXPECT_EQ(events_.readable, 0) << "of a socket that is somebody else's now";
  socket_ = adopt(loop_, ::fcntl(given.get(), F_DUPFD_CLOEXEC, 0), events_);
  socket_->await_readable();
  EXPECT_TRUE(run_until(loop_, [&] { return events_.readable == 1; }));
  EXPECT_EQ(read_text(), "not yet read");
}

TEST_F(SocketTest, IsGivenAwayThoughNeverWatched) {
  const process::FileDescriptor given(socket_->release());
  socket_.reset();
  EXPECT_NE(::fcntl(given.get(), F_GETFD), -1);
}

// The loop has already been told that it is readable, and its handler has not run yet.
TEST_F(SocketTest, IsGivenAwayInTheTurnThatBytesArriveIn) {
  for (int round = 0; round < 20; ++round) {
    RecordingEvents first_events;
    Pair first = Pair::unix_sockets();
    auto socket = adopt(loop_, first.host, first_events);
    socket->await_readable();
    RecordingEvents second_events;
    Pair second = Pair::unix_sockets();
    auto other = adopt(loop_, second.host, second_events);
    other->await_readable();
    process::FileDescriptor given;
    const auto give = [&](std::unique_ptr<Transport>& which) {
      given = process::FileDescriptor(which->release());
      which.reset();
    };
    first_events.when_readable = [&] { give(other); };
    second_events.when_readable = [&] { give(socket); };
    ASSERT_EQ(::send(first.peer.get(), "a", 1, 0), 1);
    ASSERT_EQ(::send(second.peer.get(), "b", 1, 0), 1);
    ASSERT_TRUE(run_until(loop_, [&] { return given.is_open(); }));
    run_for(loop_, std::chrono::milliseconds(1));
    EXPECT_EQ(first_events.readable + second_events.readable, 1);
    char byte = 0;
    EXPECT_EQ(::recv(given.get(), &byte, 1, MSG_DONTWAIT), 1);
  }
}

// Two sockets are ready in the same round of the loop, and whichever is told first destroys the other. Its
// successor gets the same descriptor number, and perhaps the same memory.
TEST_F(SocketTest, LeavesNoEventOfItsOwnToTheNextSocketWithItsNumber) {
  for (int round = 0; round < 50; ++round) {
    std::array<RecordingEvents, 2> events;
    RecordingEvents next_events;
    std::array<std::unique_ptr<Transport>, 2> sockets;
    std::array<process::FileDescriptor, 2> peers;
    std::unique_ptr<Transport> next;
    process::FileDescriptor next_peer;
    for (std::size_t i = 0; i < 2; ++i) {
      Pair pair = Pair::unix_sockets();
      peers[i] = std::move(pair.peer);
      sockets[i] = adopt(loop_, pair.host, events[i]);
      sockets[i]->await_readable();
      events[i].when_readable = [&, other = 1 - i] {
        sockets[other].reset();
        Pair successor = Pair::unix_sockets();
        next_peer = std::move(successor.peer);
        next = adopt(loop_, successor.host, next_events);
        next->await_readable();
      };
    }
    for (const process::FileDescriptor& peer : peers) ASSERT_EQ(::send(peer.get(), "old", 3, 0), 3);
    ASSERT_TRUE(run_until(loop_, [&] { return next != nullptr; }));
    run_for(loop_, std::chrono::milliseconds(1));
    EXPECT_EQ(events[0].readable + events[1].readable, 1);
    std::array<std::uint8_t, 10> bytes{};
    EXPECT_EQ(next->read(bytes).status, Status::would_block);
    if (next_events.readable != 0) next->await_readable();  // told without bytes: allowed
    next_events.readable = 0;
    ASSERT_EQ(::send(next_peer.get(), "new", 3, 0), 3);
    EXPECT_TRUE(run_until(loop_, [&] { return next_events.readable == 1; }));
    EXPECT_EQ(next->read(bytes).bytes, 3U);
  }
}

// As one that a program has inherited that a plugin started.
TEST_F(SocketTest, LeavesNothingBehindThoughACopyOfItsDescriptorLivesOn) {
  const process::FileDescriptor copy(::fcntl(host_, F_DUPFD_CLOEXEC, 0));
  ASSERT_TRUE(copy.is_open());
  socket_->await_readable();
  run_for(loop_, std::chrono::milliseconds(1));
  socket_.reset();
  ASSERT_EQ(::send(peer_.get(), "late", 4, 0), 4);
  const auto used = processor_time();
  run_for(loop_, std::chrono::milliseconds(100));
  EXPECT_LT(processor_time() - used, std::chrono::milliseconds(30)) << "the loop spins";
  EXPECT_EQ(events_.readable, 0);
}

// Bytes that nobody awaits are no reason to wake up, whatever was awaited before them.
TEST_F(SocketTest, DoesNotSpinOnWhatIsNotAwaited) {
  for (int i = 0; i < 3; ++i) {
    socket_->await_writable();
    socket_->await_readable();
    ASSERT_EQ(::send(peer_.get(), "unread", 6, 0), 6);
    ASSERT_TRUE(run_until(loop_, [&] { return events_.readable == i + 1 && events_.writable == i + 1; }));
    const auto used = processor_time();
    run_for(loop_, std::chrono::milliseconds(50));
    EXPECT_LT(processor_time() - used, std::chrono::milliseconds(20)) << "the loop spins";
  }
}

TEST_F(SocketTest, C96_SetsNoDelayOnTcp) {
  use(Pair::tcp());
  int on = 0;
  socklen_t size = sizeof on;
  ASSERT_EQ(::getsockopt(host_, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
  EXPECT_NE(on, 0);
}

TEST_F(SocketTest, ThatCannotBeWatchedSaysSoToAReader) {
  TemporaryFolder folder;
  const int file = ::open((folder / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0);
  socket_ = adopt(loop_, file, events_);  // epoll takes no regular files
  socket_->await_readable();
  EXPECT_EQ(events_.readable, 0);
  EXPECT_TRUE(run_until(loop_, [&] { return events_.readable == 1; }));
  std::array<std::uint8_t, 1> byte{};
  const Transfer got = socket_->read(byte);
  EXPECT_EQ(got.status, Status::failed);
  EXPECT_NE(got.error, 0);
  socket_->pause_reading();
  socket_->await_writable();
  EXPECT_TRUE(run_until(loop_, [&] { return events_.hangup == 1 && events_.writable == 1; }));
  socket_->await_readable();
  socket_.reset();  // with the report still on its way
  run_for(loop_, std::chrono::milliseconds(2));
  EXPECT_EQ(events_.readable, 1);
}

struct DestroyCase {
  const char* name;
  void (*arrange)(Transport& socket);
  std::function<void()> RecordingEvents::* hook;
};

class SocketDestroyed : public testing::TestWithParam<DestroyCase> {};

// All three kinds of waits end on the same event, so destroying the socket in one must silence the others.
TEST_P(SocketDestroyed, InsideItsOwnEventHearsNoOther) {
  EventLoop loop;
  RecordingEvents events;
  Pair pair = Pair::unix_sockets();
  auto socket = adopt(loop, pair.host, events);
  GetParam().arrange(*socket);
  events.*GetParam().hook = [&] { socket.reset(); };
  pair.peer.reset();
  EXPECT_TRUE(run_until(loop, [&] { return socket == nullptr; }));
  run_for(loop, std::chrono::milliseconds(2));
  EXPECT_EQ(events.readable + events.writable + events.hangup, 1);
}

INSTANTIATE_TEST_SUITE_P(Events, SocketDestroyed,
                         testing::Values(DestroyCase{"Hangup",
                                                     [](Transport& socket) {
                                                       socket.await_readable();
                                                       socket.pause_reading();
                                                     },
                                                     &RecordingEvents::when_hangup},
                                         DestroyCase{"Writable",
                                                     [](Transport& socket) {
                                                       socket.await_readable();
                                                       socket.await_writable();
                                                     },
                                                     &RecordingEvents::when_writable},
                                         DestroyCase{"Readable",
                                                     [](Transport& socket) {
                                                       socket.pause_reading();
                                                       socket.await_readable();
                                                     },
                                                     &RecordingEvents::when_readable}),
                         [](const auto& each) { return each.param.name; });

TEST(SocketLifetime, MayEndWithWaitsPendingJustBeforeTheLoop) {
  RecordingEvents events;
  Pair pair = Pair::unix_sockets();
  EventLoop loop;
  auto socket = adopt(loop, pair.host, events);
  socket->await_readable();
  socket->await_writable();
  socket->pause_reading();
  socket.reset();
}

}  // namespace
}  // namespace trivet::io
