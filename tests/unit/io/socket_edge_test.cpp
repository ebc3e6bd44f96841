#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <thread>

#include "tests/unit/io/io_test_support.hpp"

// The kernel tells what is new once: whatever is not read or written then must not be forgotten.
namespace trivet::io {
namespace {

using Status = Transfer::Status;

struct Kind {
  const char* name;
  Pair (*connect)();
};

class SocketThatIsToldOnce : public testing::TestWithParam<Kind> {
 protected:
  SocketThatIsToldOnce() : pair_(GetParam().connect()), socket_(adopt(loop_, pair_.host, events_)) {}

  void peer_sends(std::string_view text) {
    ASSERT_EQ(::send(pair_.peer.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  void settle() { run_for(loop_, std::chrono::milliseconds(5)); }
  /// All that comes, by reads of at most `most` bytes, each of them awaited.
  std::string read_awaiting(std::size_t most, std::size_t until) {
    std::string all;
    events_.when_readable = [&] {
      std::vector<std::uint8_t> bytes(most);
      const Transfer got = socket_->read(bytes);
      all += base::as_text(base::Bytes(bytes).first(got.bytes));
      if (got.status == Status::end) all += '$';
      if (all.size() < until) socket_->await_readable();
    };
    socket_->await_readable();
    EXPECT_TRUE(run_until(loop_, [&] { return all.size() >= until; })) << all;
    events_.when_readable = nullptr;
    return all;
  }

  EventLoop loop_;
  RecordingEvents events_;
  Pair pair_;
  std::unique_ptr<Transport> socket_;
};

TEST_P(SocketThatIsToldOnce, HearsAgainOfWhatItLeft) {
  socket_->await_readable();
  settle();
  peer_sends("one two three");
  EXPECT_EQ(read_awaiting(4, 13), "one two three");
}

TEST_P(SocketThatIsToldOnce, HearsOfTheEndThatCameWithTheLastBytes) {
  socket_->await_readable();
  settle();
  peer_sends("last");
  pair_.peer.reset();
  EXPECT_EQ(read_awaiting(100, 5), "last$");
}

TEST_P(SocketThatIsToldOnce, HearsOfTheEndOfInputThatCameWithTheLastBytes) {
  socket_->await_readable();
  settle();
  peer_sends("last");
  ASSERT_EQ(::shutdown(pair_.peer.get(), SHUT_WR), 0);
  EXPECT_EQ(read_awaiting(100, 5), "last$");
}

TEST_P(SocketThatIsToldOnce, HearsOfWhatCameBetweenTheEventAndThePause) {
  socket_->await_readable();
  peer_sends("early");
  ASSERT_TRUE(run_until(loop_, [&] { return events_.readable == 1; }));
  socket_->pause_reading();
  settle();
  EXPECT_EQ(read_awaiting(100, 5), "early");
}

TEST_P(SocketThatIsToldOnce, HearsOfWhatCameWhileNothingWasAwaited) {
  socket_->await_readable();
  peer_sends("a");
  ASSERT_TRUE(run_until(loop_, [&] { return events_.readable == 1; }));
  std::array<std::uint8_t, 10> bytes{};
  ASSERT_EQ(socket_->read(bytes).bytes, 1U);
  peer_sends("b");
  settle();
  EXPECT_EQ(read_awaiting(100, 1), "b");
}

TEST_P(SocketThatIsToldOnce, HearsOfRoomThatCameWhileNothingWasAwaited) {
  const std::vector<std::uint8_t> bytes(100'000, 'x');
  const auto fill = [&] {
    std::size_t total = 0;
    for (Transfer sent; (sent = socket_->write(bytes, {})).status == Status::ok;) total += sent.bytes;
    return total;
  };
  for (int round = 1; round <= 3; ++round) {
    std::size_t filled = fill();
    socket_->await_writable();
    socket_->await_readable();
    for (std::vector<char> got(100'000); filled > 0;) {
      const ssize_t n = ::recv(pair_.peer.get(), got.data(), got.size(), 0);
      ASSERT_GT(n, 0);
      filled -= static_cast<std::size_t>(n);
    }
    ASSERT_TRUE(run_until(loop_, [&] { return events_.writable == 2 * round - 1; }));
    settle();
    socket_->await_writable();  // It still has the room of which it was told.
    ASSERT_TRUE(run_until(loop_, [&] { return events_.writable == 2 * round; }));
  }
}

TEST_P(SocketThatIsToldOnce, IsNotWokenByEachAnswerThatThePeerTakes) {
  const std::vector<std::uint8_t> bytes(100'000, 'x');
  std::size_t filled = 0;
  for (Transfer sent; (sent = socket_->write(bytes, {})).status == Status::ok;) filled += sent.bytes;
  socket_->await_writable();
  std::vector<char> got(100'000);
  for (; filled > 0; filled -= std::min<std::size_t>(filled, got.size())) {
    ASSERT_EQ(::recv(pair_.peer.get(), got.data(), std::min(filled, got.size()), MSG_WAITALL),
              static_cast<ssize_t>(std::min(filled, got.size())));
  }
  ASSERT_TRUE(run_until(loop_, [&] { return events_.writable == 1; }));
  socket_->await_readable();
  int looks = 0;
  TestTask look([&] { ++looks; });
  loop_.set_between(&look);
  for (int i = 0; i < 3; ++i) {
    looks = 0;
    ASSERT_EQ(socket_->write(base::as_bytes("answer"), {}).bytes, 6U);
    ASSERT_EQ(::recv(pair_.peer.get(), got.data(), 6, MSG_WAITALL), 6);
    settle();
  }
  EXPECT_EQ(looks, 1) << "the last time it was woken by more than the test's timer";
  loop_.set_between(nullptr);
  EXPECT_EQ(events_.writable, 1);
  peer_sends("next");
  EXPECT_EQ(read_awaiting(100, 4), "next");
}

// Both ends send and receive at once, in pieces of all sizes, and rest at times: a forgotten wish stops it.
TEST_P(SocketThatIsToldOnce, GetsAStreamThroughWholeWhateverThePieces) {
  constexpr std::size_t total = 6'000'000;
  const auto byte_at = [](std::size_t at) { return static_cast<std::uint8_t>(at * 7 + at / 251); };
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::jthread sender([&, peer = pair_.peer.get()] {
      std::minstd_rand random(seed);
      std::vector<std::uint8_t> bytes(200'000);
      for (std::size_t at = 0; at < total;) {
        const std::size_t size =
            std::min<std::size_t>(total - at, 1 + random() % (random() % 4 == 0 ? 200'000 : 3'000));
        for (std::size_t i = 0; i < size; ++i) bytes[i] = byte_at(at + i);
        const ssize_t sent = ::send(peer, bytes.data(), size, MSG_NOSIGNAL);
        if (sent <= 0) return;
        at += static_cast<std::size_t>(sent);
      }
    });
    std::size_t received = 0;
    std::jthread receiver([&, peer = pair_.peer.get()] {
      std::minstd_rand random(seed + 100);
      std::vector<std::uint8_t> bytes(200'000);
      while (received < total) {
        const ssize_t got = ::recv(peer, bytes.data(), 1 + random() % bytes.size(), 0);
        if (got <= 0) return;
        for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
          if (bytes[i] != byte_at(received + i)) return;
        }
        received += static_cast<std::size_t>(got);
      }
    });
    std::minstd_rand random(seed + 200);
    std::size_t read = 0;
    std::size_t written = 0;
    std::size_t wrong = 0;
    TestTimer goes_on([&](base::TimePoint) { socket_->await_readable(); });
    events_.when_readable = [&] {
      std::vector<std::uint8_t> bytes(1 + random() % 70'000);
      const Transfer got = socket_->read(bytes);
      for (std::size_t i = 0; i < got.bytes; ++i) wrong += bytes[i] != byte_at(read + i) ? 1 : 0;
      read += got.bytes;
      if (random() % 16 == 0) {
        socket_->pause_reading();
        loop_.timers().arm(goes_on, loop_.now() + std::chrono::microseconds(random() % 2'000));
      } else {
        socket_->await_readable();
      }
    };
    events_.when_writable = [&] {
      std::vector<std::uint8_t> bytes(std::min<std::size_t>(total - written, 1 + random() % 150'000));
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = byte_at(written + i);
      written += socket_->write(bytes, {}).bytes;
      if (written < total) socket_->await_writable();
    };
    socket_->await_readable();
    socket_->await_writable();
    EXPECT_TRUE(run_until(loop_, [&] { return read == total && written == total; }))
        << read << " read, " << written << " written of " << total;
    EXPECT_EQ(wrong, 0U);
    if (HasFailure()) ::shutdown(pair_.peer.get(), SHUT_RDWR);  // The threads end.
    receiver.join();
    EXPECT_EQ(received, total);
    socket_->pause_reading();
    events_.when_readable = events_.when_writable = nullptr;
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Sockets, SocketThatIsToldOnce,
                         testing::Values(Kind{"Unix", &Pair::unix_sockets}, Kind{"Tcp", &Pair::tcp}),
                         [](const auto& each) { return each.param.name; });

/// All that is read, and awaited again.
class SocketThatReadsOn : public testing::Test {
 protected:
  void use(Pair pair) {
    pair_ = std::move(pair);
    socket_ = adopt(loop_, pair_.host, events_);
    events_.when_readable = [this] {
      std::array<std::uint8_t, 100> bytes{};
      const Transfer got = socket_->read(bytes);
      all_ += base::as_text(base::Bytes(bytes).first(got.bytes));
      socket_->await_readable();
    };
    socket_->await_readable();
    run_for(loop_, std::chrono::milliseconds(2));
  }
  void peer_sends(std::string_view text, int flags = 0) {
    ASSERT_EQ(::send(pair_.peer.get(), text.data(), text.size(), flags), static_cast<ssize_t>(text.size()));
  }
  bool reads(std::size_t size) {
    return run_until(loop_, [&] { return all_.size() >= size; });
  }

  EventLoop loop_;
  RecordingEvents events_;
  Pair pair_;
  std::unique_ptr<Transport> socket_;
  std::string all_;
};

// A read stops before urgent bytes, with whatever is behind them unread.
TEST_F(SocketThatReadsOn, HearsOfWhatIsBehindUrgentBytes) {
  use(Pair::tcp());
  for (std::size_t round = 1; round <= 3; ++round) {
    peer_sends("before");
    peer_sends("!", MSG_OOB);
    peer_sends("behind");
    ASSERT_TRUE(reads(round * 12)) << all_;
  }
  EXPECT_EQ(all_, "beforebehindbeforebehindbeforebehind");
}

// A read stops behind them too, which the kernel does not tell apart from having no more.
TEST_F(SocketThatReadsOn, HearsOfWhatIsBehindDescriptorsWithTheNextBytes) {
  use(Pair::unix_sockets());
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec text{const_cast<char*>("with"), 4};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int any = pair_.peer.get();
  std::memcpy(CMSG_DATA(header), &any, sizeof any);
  ASSERT_EQ(::sendmsg(pair_.peer.get(), &message, 0), 4);
  peer_sends(" behind");
  ASSERT_TRUE(reads(1));
  peer_sends(" next");
  EXPECT_TRUE(reads(16));
  EXPECT_EQ(all_, "with behind next");
}

}  // namespace
}  // namespace trivet::io
