#include "runtime/cli/fastcgi_client.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "runtime/base/buffer.hpp"
#include "runtime/protocol/encoder.hpp"

namespace trivet::cli {
namespace {

using protocol::ProtocolStatus;
using protocol::RecordType;

class Answer final : public AnswerSink {
 public:
  bool on_output(base::Bytes bytes) override {
    out += base::as_text(bytes);
    return !refuses;
  }
  void on_error_output(base::Bytes bytes) override { err += base::as_text(bytes); }
  void on_sent(base::Bytes bytes) override { sent += base::as_text(bytes); }
  void on_received(base::Bytes bytes) override { received += base::as_text(bytes); }

  std::string out;
  std::string err;
  std::string sent;
  std::string received;
  bool refuses = false;
};

base::Buffer answer(std::string_view out, std::string_view err = {}, std::uint32_t app_status = 0,
                    ProtocolStatus status = ProtocolStatus::request_complete) {
  base::Buffer bytes;
  protocol::append_stream(bytes, RecordType::standard_error, 1, base::as_bytes(err));
  protocol::append_stream(bytes, RecordType::standard_out, 1, base::as_bytes(out));
  protocol::append_stream_end(bytes, RecordType::standard_out, 1);
  protocol::append_end_request(bytes, 1, app_status, status);
  return bytes;
}

/// The two ends of a connection.
struct Sockets {
  Sockets() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    client.reset(ends[0]);
    peer.reset(ends[1]);
    EXPECT_EQ(::fcntl(client.get(), F_SETFL, O_NONBLOCK), 0);
  }
  process::FileDescriptor client;
  process::FileDescriptor peer;
};

struct Ran {
  Outcome outcome;
  Answer answer;
};

/// What the client makes of an application that says `bytes` and closes, or goes on listening.
void run(Ran& ran, base::Bytes bytes, bool closes, ClientRequest request = {},
         std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
  Sockets sockets;
  EXPECT_EQ(::send(sockets.peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
  if (closes) ::shutdown(sockets.peer.get(), SHUT_WR);
  ran.outcome = FastcgiClient(std::move(sockets.client), std::move(request), ran.answer, timeout).run();
}

TEST(FastcgiClient, GivesWhatTheApplicationSaid) {
  const base::Buffer said = answer("Status: 200\n\nbody", "a note", 3, ProtocolStatus::overloaded);
  Ran ran;
  run(ran, said.bytes(), false);
  EXPECT_TRUE(ran.outcome.ended);
  EXPECT_EQ(ran.outcome.problem, "");
  EXPECT_EQ(ran.outcome.app_status, 3U);
  EXPECT_EQ(ran.outcome.protocol_status, 2);
  EXPECT_EQ(ran.answer.out, "Status: 200\n\nbody");
  EXPECT_EQ(ran.answer.err, "a note");
  EXPECT_EQ(ran.answer.received, base::as_text(said.bytes()));
}

TEST(FastcgiClient, AnAnswerThatIsCutAnywhereHasNotEnded) {
  const base::Buffer said = answer("Status: 200\n\nbody", "a note");
  for (std::size_t cut = 0; cut < said.size(); ++cut) {
    Ran ran;
    run(ran, said.bytes().first(cut), true);
    EXPECT_FALSE(ran.outcome.ended) << cut;
    EXPECT_TRUE(ran.outcome.problem.starts_with("the connection was closed before the request ended")) << cut;
  }
}

struct BrokenCase {
  const char* what;
  std::string bytes;
  const char* problem;
};

TEST(FastcgiClient, WhatNoApplicationSendsIsTold) {
  const auto record = [](std::uint8_t type, std::uint16_t id, std::string_view content) {
    const char header[] = {1,
                           static_cast<char>(type),
                           static_cast<char>(id >> 8),
                           static_cast<char>(id & 0xFF),
                           0,
                           static_cast<char>(content.size()),
                           0,
                           0};
    return std::string(header, sizeof header) + std::string(content);
  };
  const BrokenCase cases[] = {
      {"Http", "HTTP/1.1 400\r\n\r\n", "what came back is not FastCGI 1; it begins with \"HTTP/1.1"},
      {"Begin", record(1, 1, std::string(8, '\0')),
       "a record came that no application sends in answer to one request: BEGIN_REQUEST with id 1"},
      {"OtherId", record(6, 2, "x"),
       "a record came that no application sends in answer to one request: STDOUT with id 2"},
      {"OutputOfManagement", record(6, 0, "x"),
       "a record came that no application sends in answer to one request"},
      {"Unknown", record(99, 1, "x"),
       "a record came that no application sends in answer to one request: TYPE_99"},
      {"ShortEnd", record(3, 1, "1234567"), "END_REQUEST has 7 bytes instead of 8"},
      {"LongEnd", record(3, 1, "123456789"), "END_REQUEST has 9 bytes instead of 8"},
  };
  for (const BrokenCase& each : cases) {
    for (std::size_t cut : {std::size_t{0}, each.bytes.size() / 2}) {
      Ran ran;
      Sockets sockets;
      // In two pieces: a problem is told as soon as it can be known, whatever follows.
      std::thread peer([&] {
        ::send(sockets.peer.get(), each.bytes.data(), cut, MSG_NOSIGNAL);
        ::send(sockets.peer.get(), each.bytes.data() + cut, each.bytes.size() - cut, MSG_NOSIGNAL);
      });
      ran.outcome = FastcgiClient(std::move(sockets.client), {}, ran.answer, std::chrono::seconds(10)).run();
      peer.join();
      EXPECT_FALSE(ran.outcome.ended) << each.what;
      EXPECT_TRUE(ran.outcome.problem.starts_with(each.problem)) << each.what << ": " << ran.outcome.problem;
    }
  }
}

TEST(FastcgiClient, AManagementRecordInBetweenHarmsNothing) {
  base::Buffer said;
  protocol::append_unknown_type(said, 42);
  const base::Buffer rest = answer("x");
  said.append(rest.bytes());
  Ran ran;
  run(ran, said.bytes(), false);
  EXPECT_TRUE(ran.outcome.ended);
  EXPECT_EQ(ran.answer.out, "x");
}

TEST(FastcgiClient, SendsTheStreamsOfItsRoleInTheirOrder) {
  for (const protocol::Role role :
       {protocol::Role::responder, protocol::Role::authorizer, protocol::Role::filter}) {
    Sockets sockets;
    ClientRequest request;
    request.role = role;
    request.params = {{"A", "1"}, {"B", ""}};
    request.body = InputSource::open("body").value();
    request.data = InputSource::open("data").value();
    base::Buffer expected;
    protocol::append_begin_request(expected, 1, static_cast<std::uint16_t>(role), false);
    base::Buffer pairs;
    protocol::append_pair(pairs, "A", "1");
    protocol::append_pair(pairs, "B", "");
    protocol::append_stream(expected, RecordType::params, 1, pairs.bytes());
    protocol::append_stream_end(expected, RecordType::params, 1);
    protocol::append_stream(expected, RecordType::standard_in, 1, base::as_bytes("body"));
    protocol::append_stream_end(expected, RecordType::standard_in, 1);
    if (role == protocol::Role::filter) {
      protocol::append_stream(expected, RecordType::data, 1, base::as_bytes("data"));
      protocol::append_stream_end(expected, RecordType::data, 1);
    }
    std::string got(expected.size(), '\0');
    std::thread peer([&] {
      EXPECT_EQ(::recv(sockets.peer.get(), got.data(), got.size(), MSG_WAITALL),
                static_cast<ssize_t>(got.size()));
      const base::Buffer said = answer("x");
      ::send(sockets.peer.get(), said.bytes().data(), said.size(), MSG_NOSIGNAL);
    });
    Answer heard;
    const Outcome outcome =
        FastcgiClient(std::move(sockets.client), std::move(request), heard, std::chrono::seconds(10)).run();
    peer.join();
    EXPECT_TRUE(outcome.ended);
    EXPECT_EQ(got, base::as_text(expected.bytes()));
    EXPECT_EQ(heard.sent, got);
  }
}

TEST(FastcgiClient, AnEarlyAnswerEndsTheSending) {
  ClientRequest request;
  request.body = InputSource::open("@/dev/zero").value();
  const base::Buffer said = answer("enough");
  Ran ran;
  run(ran, said.bytes(), false, std::move(request));
  EXPECT_TRUE(ran.outcome.ended);
  EXPECT_EQ(ran.answer.out, "enough");
}

TEST(FastcgiClient, APeerThatTakesNoMoreIsStillHeard) {
  Sockets sockets;
  const base::Buffer said = answer("Status: 413\n\n");
  ::send(sockets.peer.get(), said.bytes().data(), said.size(), MSG_NOSIGNAL);
  sockets.peer.reset();
  ClientRequest request;
  request.body = InputSource::open("@/dev/zero").value();
  Answer heard;
  const Outcome outcome =
      FastcgiClient(std::move(sockets.client), std::move(request), heard, std::chrono::seconds(10)).run();
  EXPECT_TRUE(outcome.ended) << outcome.problem;
  EXPECT_EQ(heard.out, "Status: 413\n\n");
}

TEST(FastcgiClient, GivesUpWhenNoByteMoves) {
  Ran ran;
  run(ran, {}, false, {}, std::chrono::milliseconds(20));
  EXPECT_FALSE(ran.outcome.ended);
  EXPECT_EQ(ran.outcome.problem, "no byte moved for 20 ms");
}

TEST(FastcgiClient, ASinkThatCannotUseTheAnswerEndsTheExchange) {
  const base::Buffer said = answer("first");
  Ran ran;
  ran.answer.refuses = true;
  run(ran, said.bytes(), false);
  EXPECT_FALSE(ran.outcome.ended);
  EXPECT_EQ(ran.outcome.problem, "");
}

}  // namespace
}  // namespace trivet::cli
