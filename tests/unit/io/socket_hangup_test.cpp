#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/io/io_test_support.hpp"

namespace trivet::io {
namespace {

using Status = Transfer::Status;

void reset_connection(process::FileDescriptor& peer) {
  const linger at_once{1, 0};
  ASSERT_EQ(::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
  peer.reset();
}
void close_peer(process::FileDescriptor& peer) { peer.reset(); }
void half_close(process::FileDescriptor& peer) { ASSERT_EQ(::shutdown(peer.get(), SHUT_WR), 0); }

struct HangupCase {
  const char* name;
  Pair (*connect)();
  void (*leave)(process::FileDescriptor& peer);
  bool hung_up;
};

constexpr HangupCase cases[] = {
    {"UnixClose", &Pair::unix_sockets, &close_peer, true},
    {"UnixHalfClose", &Pair::unix_sockets, &half_close, false},
    {"TcpReset", &Pair::tcp, &reset_connection, true},
    {"TcpHalfClose", &Pair::tcp, &half_close, false},
    {"TcpClose", &Pair::tcp, &close_peer, false},  // a FIN, like the half close: nobody can tell yet
};

class PausedSocket : public testing::TestWithParam<HangupCase> {
 protected:
  PausedSocket() : pair_(GetParam().connect()), socket_(adopt(loop_, pair_.host, events_)) {}

  void expect_hangup_as_promised() {
    if (GetParam().hung_up) {
      EXPECT_TRUE(run_until(loop_, [&] { return events_.hangup == 1; }));
    } else {
      run_for(loop_, std::chrono::milliseconds(10));
      EXPECT_EQ(events_.hangup, 0);
    }
    EXPECT_EQ(events_.readable, 0);
  }

  EventLoop loop_;
  RecordingEvents events_;
  Pair pair_;
  std::unique_ptr<Transport> socket_;
};

TEST_P(PausedSocket, TellsWhetherThePeerIsGone) {
  socket_->pause_reading();
  run_for(loop_, std::chrono::milliseconds(2));
  GetParam().leave(pair_.peer);
  expect_hangup_as_promised();
}

TEST_P(PausedSocket, TellsAPeerThatWasGoneBefore) {
  GetParam().leave(pair_.peer);
  socket_->pause_reading();
  expect_hangup_as_promised();
}

TEST_P(PausedSocket, TellsItWithBytesUnreadToo) {
  socket_->await_readable();
  socket_->pause_reading();
  ASSERT_EQ(::send(pair_.peer.get(), "unread", 6, 0), 6);
  run_for(loop_, std::chrono::milliseconds(2));
  GetParam().leave(pair_.peer);
  expect_hangup_as_promised();
}

TEST_P(PausedSocket, TellsItOnTheSecondPause) {
  socket_->pause_reading();
  socket_->await_readable();
  socket_->pause_reading();
  GetParam().leave(pair_.peer);
  expect_hangup_as_promised();
}

TEST_P(PausedSocket, IsSilentOnceItReadsAgainAndReadTellsInstead) {
  socket_->pause_reading();
  socket_->await_readable();
  GetParam().leave(pair_.peer);
  EXPECT_TRUE(run_until(loop_, [&] { return events_.readable == 1; }));
  EXPECT_EQ(events_.hangup, 0);
  std::array<std::uint8_t, 10> bytes{};
  const Transfer got = socket_->read(bytes);
  EXPECT_NE(got.status, Status::ok);
  EXPECT_NE(got.status, Status::would_block);
  // Only reads the kernel's state: a close on TCP looks like a half close until something is sent.
  EXPECT_EQ(socket_->peer_gone(), GetParam().hung_up);
  // Paused after the event was dropped: told after all.
  events_.readable = 0;
  socket_->pause_reading();
  expect_hangup_as_promised();
}

TEST_P(PausedSocket, TellsOncePerPause) {
  socket_->pause_reading();
  GetParam().leave(pair_.peer);
  expect_hangup_as_promised();
  const auto used = processor_time();
  run_for(loop_, std::chrono::milliseconds(100));
  EXPECT_LT(processor_time() - used, std::chrono::milliseconds(30)) << "the loop spins";
  EXPECT_EQ(events_.hangup, GetParam().hung_up ? 1 : 0);
}

INSTANTIATE_TEST_SUITE_P(Peers, PausedSocket, testing::ValuesIn(cases),
                         [](const auto& each) { return each.param.name; });

TEST(SocketHangup, ComesOnTcpWhenBothSidesHaveEnded) {
  EventLoop loop;
  RecordingEvents events;
  Pair pair = Pair::tcp();
  const auto socket = adopt(loop, pair.host, events);
  socket->pause_reading();
  socket->shutdown_write();
  half_close(pair.peer);
  EXPECT_TRUE(run_until(loop, [&] { return events.hangup == 1; }));
}

TEST(SocketHangup, ComesOnTcpWhenAnAnswerMeetsAPeerThatClosed) {
  EventLoop loop;
  RecordingEvents events;
  Pair pair = Pair::tcp();
  const auto socket = adopt(loop, pair.host, events);
  socket->pause_reading();
  pair.peer.reset();
  run_for(loop, std::chrono::milliseconds(2));
  EXPECT_EQ(events.hangup, 0);
  EXPECT_EQ(socket->write(base::as_bytes("answer"), {}).status, Status::ok);
  EXPECT_TRUE(run_until(loop, [&] { return events.hangup == 1; }));
}

TEST(SocketHangup, IsNotTakenFromUrgentBytesWhichAreDroppedWithoutSpinning) {
  EventLoop loop;
  RecordingEvents events;
  Pair pair = Pair::tcp();
  const auto socket = adopt(loop, pair.host, events);
  socket->pause_reading();
  const auto used = processor_time();
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(::send(pair.peer.get(), "!", 1, MSG_OOB), 1);
    run_for(loop, std::chrono::milliseconds(30));
  }
  EXPECT_LT(processor_time() - used, std::chrono::milliseconds(30)) << "the loop spins";
  EXPECT_EQ(events.hangup, 0);
  reset_connection(pair.peer);
  EXPECT_TRUE(run_until(loop, [&] { return events.hangup == 1; }));
}

TEST(SocketHangup, IsToldForEachOfManyPausedSockets) {
  constexpr std::size_t count = 200;
  EventLoop loop;
  std::vector<RecordingEvents> events(count);
  std::vector<std::unique_ptr<Transport>> sockets;
  std::vector<process::FileDescriptor> peers;
  for (std::size_t i = 0; i < count; ++i) {
    Pair pair = Pair::unix_sockets();
    sockets.push_back(adopt(loop, pair.host, events[i]));
    sockets.back()->pause_reading();
    peers.push_back(std::move(pair.peer));
  }
  for (std::size_t i = 0; i < count; i += 2) peers[i].reset();
  EXPECT_TRUE(run_until(loop, [&] {
    for (std::size_t i = 0; i < count; i += 2) {
      if (events[i].hangup != 1) return false;
    }
    return true;
  }));
  for (std::size_t i = 1; i < count; i += 2) EXPECT_EQ(events[i].hangup, 0);
}

}  // namespace
}  // namespace trivet::io
