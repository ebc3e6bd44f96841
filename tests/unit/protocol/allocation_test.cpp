// What the demultiplexer takes from the heap.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/protocol/demultiplexer.hpp"
#include "runtime/protocol/encoder.hpp"
#include "tests/unit/protocol/counting_heap.hpp"
#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol {
namespace {

/// Answers each request at the end of its input and forgets it; allocates nothing itself.
class Server final : public ConnectionEvents, private RequestInput {
 public:
  base::Buffer out;
  Demultiplexer demultiplexer{*this, out, {1, 1}};
  std::size_t answered = 0;
  std::size_t taken = 0;
  bool releases = true;

 private:
  RequestInput* on_begin(const BeginRequest& begin) override {
    id_ = begin.id;
    return this;
  }
  void on_unknown_role(std::uint16_t, bool) override {}
  void on_params(base::Bytes bytes) override { taken += bytes.size(); }
  void on_params_end() override {}
  void on_body(base::Bytes bytes) override { taken += bytes.size(); }
  void on_body_end() override {
    append_stream(out, RecordType::standard_out, id_, base::as_bytes("Status: 200\r\n\r\n"));
    append_stream_end(out, RecordType::standard_out, id_);
    append_end_request(out, id_, 0, ProtocolStatus::request_complete);
    ++answered;
    if (releases) demultiplexer.release(id_);
  }
  void on_data(base::Bytes) override {}
  void on_data_end() override {}
  void on_aborted() override {}
  void on_violation(std::string_view) override {}

  std::uint16_t id_ = 0;
};

void feed(Server& server, std::string_view bytes, std::size_t piece) {
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const std::string_view failure = server.demultiplexer.feed(base::as_bytes(bytes.substr(at, piece)));
    if (!failure.empty()) ADD_FAILURE() << failure;
  }
  server.out.clear();
}

TEST(Heap, IsNotTouchedByRequestsHoweverTheyAreCut) {
  const std::string request = wire::request(1, wire::responder) + wire::request(65535, wire::responder) +
                              wire::record(wire::get_values, 0, wire::pair("FCGI_MAX_REQS", "")) +
                              wire::record(99, 0, "what") + wire::record(wire::params, 3, "nobody");
  const std::string cuttable = wire::request(1, wire::responder) + wire::request(2, wire::responder);
  Server server;
  feed(server, request, request.size());  // The answer buffer grows to its size once.
  const std::size_t before = heap::allocations();
  for (int i = 0; i < 100; ++i) feed(server, request, request.size());
  for (const std::size_t piece : {1U, 3U, 7U, 64U}) {
    for (int i = 0; i < 20; ++i) feed(server, cuttable, piece);
  }
  EXPECT_EQ(heap::allocations(), before);
  EXPECT_EQ(server.answered, 2U + 200U + 160U);
}

TEST(Heap, HoldsNothingForAnIdleConnection) {
  Server server;
  server.releases = false;
  std::string begins;
  for (unsigned id = 1; id <= 100; ++id) begins += wire::begin(id * 600, wire::responder);
  const std::string values = wire::record(wire::get_values, 0, wire::pair("X", std::string(60000, 'x')));
  const std::string unfinished = values.substr(0, 40000), rest = values.substr(40000);
  const std::size_t before = heap::live();

  feed(server, begins, begins.size());
  EXPECT_GT(heap::live(), before) << "a hundred requests do not fit inside";
  for (unsigned id = 1; id <= 100; ++id) server.demultiplexer.release(static_cast<std::uint16_t>(id * 600));
  feed(server, unfinished, 1000);
  EXPECT_GT(heap::live(), before) << "the query is gathered";
  feed(server, rest, 1000);
  server.out.release();
  EXPECT_EQ(heap::live(), before);
  EXPECT_TRUE(server.demultiplexer.at_record_boundary());
}

TEST(Heap, IsNotTouchedByContentOfAnySize) {
  Server server;
  feed(server, wire::begin(1, wire::responder) + wire::record(wire::params, 1, ""), 100);
  const std::string body =
      wire::record(wire::standard_in, 1, std::string(65535, 'b'), {std::string(255, 'p')});
  const std::size_t before = heap::allocations();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{4096}, body.size()}) feed(server, body, piece);
  EXPECT_EQ(heap::allocations(), before);
  EXPECT_EQ(server.taken, 3 * std::size_t{65535});
}

/// A peer that reads nothing must not make the host keep much more than it sent.
TEST(Heap, AnswersAreLessThanThreeTimesWhatTheyAnswer) {
  const std::string questions[] = {
      wire::record(99, 0, ""),
      wire::record(wire::get_values, 0, ""),
      wire::record(wire::get_values, 0, wire::pair("FCGI_MAX_REQS", "")),
      wire::record(wire::get_values, 0, wire::pair("FCGI_MPXS_CONNS", "")),
      wire::record(wire::get_values, 0, wire::pair("FCGI_MAX_REQS", "") + wire::pair("FCGI_MAX_CONNS", "")),
      wire::begin(1, 99),
  };
  for (const std::string& question : questions) {
    Server server;
    base::Buffer out;
    Demultiplexer demultiplexer(server, out, {SIZE_MAX, SIZE_MAX});
    EXPECT_EQ(demultiplexer.feed(base::as_bytes(question)), "");
    EXPECT_GT(out.size(), 0U);
    EXPECT_LT(out.size(), 3 * question.size());
  }
}

}  // namespace
}  // namespace trivet::protocol
