#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>
#include <thread>

#include "runtime/base/buffer.hpp"
#include "tests/unit/io/io_test_support.hpp"

namespace trivet::io {
namespace {

/// Answers every message with the same message. One is its length in two bytes, then that many bytes. All
/// connections read into the buffer of the loop, as those of the host do.
class Echo final : public TransportEvents {
 public:
  Echo(EventLoop& loop, int fd) : loop_(loop), transport_(adopt(loop, fd, *this)) { read_all(); }

  void on_readable() override { read_all(); }
  void on_writable() override { write_all(); }
  void on_hangup() override {}

 private:
  void read_all() {
    while (true) {
      const std::span<std::uint8_t> buffer = loop_.read_buffer();
      const Transfer got = transport_->read(buffer);
      if (got.status == Transfer::Status::would_block) break;
      if (got.status != Transfer::Status::ok) return;
      in_.append(base::Bytes(buffer.first(got.bytes)));
    }
    while (in_.size() >= 2) {
      const std::size_t length = 2U + static_cast<std::size_t>(in_.data()[0] << 8U | in_.data()[1]);
      if (in_.size() < length) break;
      out_.append(in_.bytes().first(length));
      in_.consume(length);
    }
    transport_->await_readable();
    write_all();
  }
  void write_all() {
    while (!out_.empty()) {
      const std::size_t half = out_.size() / 2;
      const Transfer sent =
          transport_->write(out_.bytes().first(half), std::array{out_.bytes().subspan(half)});
      if (sent.status == Transfer::Status::would_block) {
        transport_->await_writable();
        return;
      }
      if (sent.status != Transfer::Status::ok) return;
      out_.consume(sent.bytes);
    }
  }

  EventLoop& loop_;
  base::Buffer in_;
  base::Buffer out_;
  std::unique_ptr<Transport> transport_;
};

bool send_all(int fd, base::Bytes bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::send(fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

std::vector<std::uint8_t> receive(int fd, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::recv(fd, bytes.data() + done, size - done, 0);
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

struct BufferCase {
  const char* name;
  Pair (*connect)();
};

class SharedReadBuffer : public testing::TestWithParam<BufferCase> {};

TEST_P(SharedReadBuffer, NeverMixesMessagesOfDifferentLengthsOnManyConnections) {
  constexpr std::size_t connections = 96;
  constexpr int rounds = 40;
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));

  EventLoop loop;
  std::vector<std::unique_ptr<Echo>> echoes;
  std::vector<process::FileDescriptor> peers;
  for (std::size_t i = 0; i < connections; ++i) {
    Pair pair = GetParam().connect();
    echoes.push_back(std::make_unique<Echo>(loop, pair.host));
    peers.push_back(std::move(pair.peer));
  }
  int wrong = 0;
  TestTask stop([&] { loop.stop(); });
  std::thread client([&] {
    std::mt19937 random(seed);
    for (int round = 0; round < rounds; ++round) {
      std::vector<std::vector<std::uint8_t>> messages(connections);
      for (std::size_t i = 0; i < connections; ++i) {
        // Two lengths that once went wrong, and any other.
        const std::size_t length = round % 3 == 2 ? random() % 5000 : i % 2 == 0 ? 884 : 1812;
        messages[i].assign(length + 2, static_cast<std::uint8_t>(i * 7 + static_cast<std::size_t>(round)));
        messages[i][0] = static_cast<std::uint8_t>(length >> 8U);
        messages[i][1] = static_cast<std::uint8_t>(length);
      }
      // Every third is cut, and its rest comes when the others have been sent.
      std::vector<std::size_t> sent(connections);
      for (std::size_t i = 0; i < connections; ++i) {
        sent[i] = i % 3 == 0 ? random() % messages[i].size() : messages[i].size();
        if (!send_all(peers[i].get(), std::span(messages[i]).first(sent[i]))) ++wrong;
      }
      for (std::size_t i = 0; i < connections; ++i) {
        if (!send_all(peers[i].get(), std::span(messages[i]).subspan(sent[i]))) ++wrong;
      }
      for (std::size_t i = 0; i < connections; ++i) {
        if (receive(peers[i].get(), messages[i].size()) != messages[i]) ++wrong;
      }
    }
    loop.post(stop);
  });
  loop.run();
  client.join();
  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(Sockets, SharedReadBuffer,
                         testing::Values(BufferCase{"Unix", &Pair::unix_sockets},
                                         BufferCase{"Tcp", &Pair::tcp}),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace trivet::io
