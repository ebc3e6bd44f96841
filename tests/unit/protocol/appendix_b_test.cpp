// The four message flows of FastCGI 1.0, appendix B, byte for byte in both directions. Where the
// specification shortens a string with " ... ", its visible part is the whole.

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/protocol/demultiplexer.hpp"
#include "runtime/protocol/encoder.hpp"
#include "runtime/protocol/name_value.hpp"
#include "tests/unit/protocol/recorder.hpp"
#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol {
namespace {

using namespace std::literals;

// What the web server sends: header, content.
const std::string begin_1 = "\1\1\0\1\0\10\0\0"s + "\0\1\0\0\0\0\0\0"s;
const std::string begin_1_keep = "\1\1\0\1\0\10\0\0"s + "\0\1\1\0\0\0\0\0"s;
const std::string begin_2_keep = "\1\1\0\2\0\10\0\0"s + "\0\1\1\0\0\0\0\0"s;
const std::string params_1 = "\1\4\0\1\0\52\0\0"s + "\013\002SERVER_PORT80\013\016SERVER_ADDR199.170.183.42";
const std::string params_2 = "\1\4\0\2\0\52\0\0"s + "\013\002SERVER_PORT80\013\016SERVER_ADDR199.170.183.42";
const std::string params_1_cut_in_a_name = "\1\4\0\1\0\24\0\0"s + "\013\002SERVER_PORT80\013\016SER" +
                                           "\1\4\0\1\0\26\0\0"s + "VER_ADDR199.170.183.42";
const std::string params_1_end = "\1\4\0\1\0\0\0\0"s, params_2_end = "\1\4\0\2\0\0\0\0"s;
const std::string body_1 = "\1\5\0\1\0\31\0\0"s + "quantity=100&item=3047936";
const std::string body_1_end = "\1\5\0\1\0\0\0\0"s, body_2_end = "\1\5\0\2\0\0\0\0"s;

// What the application sends, padded to multiples of eight.
constexpr std::string_view head = "Content-type: text/html\r\n\r\n";  // 27 bytes
constexpr std::string_view page = "<html>\n<head>";                   // 13 bytes
const std::string head_and_page = std::string(head) + std::string(page);
const std::string out_1_end = "\1\6\0\1\0\0\0\0"s, out_2_end = "\1\6\0\2\0\0\0\0"s;
const std::string error_1_end = "\1\7\0\1\0\0\0\0"s;
const std::string end_1 = "\1\3\0\1\0\10\0\0"s + "\0\0\0\0\0\0\0\0"s;
const std::string end_2 = "\1\3\0\2\0\10\0\0"s + "\0\0\0\0\0\0\0\0"s;
const std::string end_1_with_938 = "\1\3\0\1\0\10\0\0"s + "\0\0\3\252\0\0\0\0"s;

const std::string pairs = "\013\002SERVER_PORT80\013\016SERVER_ADDR199.170.183.42";

TEST(AppendixB, C93_TheParametersAreTheTwoPairs) {
  PairReader reader(wire::bytes(pairs));
  EXPECT_EQ(reader.next(), (Pair{"SERVER_PORT", "80"}));
  EXPECT_EQ(reader.next(), (Pair{"SERVER_ADDR", "199.170.183.42"}));
  EXPECT_EQ(reader.next(), std::nullopt);
  EXPECT_FALSE(reader.broken());
}

struct Flow {
  std::string_view name;
  std::vector<std::string> sent;
  std::vector<std::string> events;

  friend void PrintTo(const Flow& each, std::ostream* to) { *to << each.name; }
};

const Flow flows[] = {
    {"C93_Example1",
     {begin_1, params_1, params_1_end, body_1_end},
     {"1 begin responder", "1 params " + pairs, "1 params_end", "1 body_end"}},
    {"C93_Example2_CutInsideAName",
     {begin_1, params_1_cut_in_a_name, params_1_end, body_1, body_1_end},
     {"1 begin responder", "1 params " + pairs, "1 params_end", "1 body quantity=100&item=3047936",
      "1 body_end"}},
    {"C93_Example4_Multiplexed",
     {begin_1_keep, params_1, params_1_end, begin_2_keep, params_2, body_1_end, params_2_end, body_2_end},
     {"1 begin responder keep", "1 params " + pairs, "1 params_end", "2 begin responder keep",
      "2 params " + pairs, "1 body_end", "2 params_end", "2 body_end"}},
};

class AppendixBInput : public testing::TestWithParam<Flow> {};

TEST_P(AppendixBInput, IsUnderstoodHoweverCut) {
  std::string bytes;
  for (const std::string& record : GetParam().sent) bytes += record;
  EXPECT_EQ(however_cut(bytes, release_when_over), (Outcome{GetParam().events, "", "", 0, 0, true}));
}

INSTANTIATE_TEST_SUITE_P(Table, AppendixBInput, testing::ValuesIn(flows),
                         [](const auto& each) { return std::string(each.param.name); });

/// What a client's encoder makes of the same, but for padding: these contents are written unpadded.
TEST(AppendixB, C93_TheEncoderWritesTheRequestsOfAClient) {
  base::Buffer out;
  append_begin_request(out, 1, 1, false);
  append_stream(out, RecordType::params, 1, wire::bytes(pairs));
  append_stream_end(out, RecordType::params, 1);
  append_stream_end(out, RecordType::standard_in, 1);
  EXPECT_EQ(wire::text(out.bytes()),
            begin_1 + "\1\4\0\1\0\52\6\0"s + pairs + std::string(6, '\0') + params_1_end + body_1_end);
}

void finish(base::Buffer& out, std::uint16_t id, std::uint32_t app_status) {
  append_stream_end(out, RecordType::standard_out, id);
  if (app_status != 0) append_stream_end(out, RecordType::standard_error, id);
  append_end_request(out, id, app_status, ProtocolStatus::request_complete);
}

std::string answer_to_example_1(unsigned id) {
  const std::string wire_id(1, static_cast<char>(id));
  return "\1\6\0"s + wire_id + "\0\50\0\0"s + head_and_page +
         (id == 1 ? out_1_end + end_1 : out_2_end + end_2);
}

/// Examples 1 and 2 have the same answer.
TEST(AppendixB, C93_Examples1And2AreAnswered) {
  for (const Flow& flow : {flows[0], flows[1]}) {
    base::Buffer out;
    Recorder application([&](Recorder& self, std::string_view what, std::uint16_t id) {
      if (what != "body_end") return;
      append_stream(out, RecordType::standard_out, id, wire::bytes(head_and_page));
      finish(out, id, 0);
      self.release(id);
    });
    for (const std::string& record : flow.sent) application.feed(record);
    EXPECT_EQ(wire::text(out.bytes()), answer_to_example_1(1));
    EXPECT_EQ(application.outcome().open, 0U);
  }
}

TEST(AppendixB, C93_Example3IsAnsweredWithAnErrorAndStatus938) {
  base::Buffer out;
  Recorder application([&](Recorder& self, std::string_view what, std::uint16_t id) {
    if (what != "body_end") return;
    append_stream(out, RecordType::standard_out, id, wire::bytes("Content-type: text/html\r\n\r\n<ht"));
    append_stream(out, RecordType::standard_error, id, wire::bytes("config error: missing SI_UID\n"));
    append_stream(out, RecordType::standard_out, id, wire::bytes("ml>\n<head>"));
    finish(out, id, 938);
    self.release(id);
  });
  for (const std::string& record : flows[0].sent) application.feed(record);
  EXPECT_EQ(wire::text(out.bytes()), "\1\6\0\1\0\36\2\0"s + "Content-type: text/html\r\n\r\n<ht" + "\0\0"s +
                                         "\1\7\0\1\0\35\3\0"s + "config error: missing SI_UID\n" + "\0\0\0"s +
                                         "\1\6\0\1\0\12\6\0"s + "ml>\n<head>" + "\0\0\0\0\0\0"s + out_1_end +
                                         error_1_end + end_1_with_938);
}

/// The first request is more difficult: it says its head when its body ends, and its page after the second.
TEST(AppendixB, C93_Example4IsAnsweredOutOfOrder) {
  base::Buffer out;
  Recorder application([&](Recorder& self, std::string_view what, std::uint16_t id) {
    if (what != "body_end") return;
    append_stream(out, RecordType::standard_out, id, wire::bytes(id == 1 ? head : head_and_page));
    if (id == 1) return;
    finish(out, 2, 0);
    self.release(2);
    append_stream(out, RecordType::standard_out, 1, wire::bytes(page));
    finish(out, 1, 0);
    self.release(1);
  });
  for (const std::string& record : flows[2].sent) application.feed(record);
  EXPECT_EQ(wire::text(out.bytes()), "\1\6\0\1\0\33\5\0"s + std::string(head) + "\0\0\0\0\0"s +
                                         answer_to_example_1(2) + "\1\6\0\1\0\15\3\0"s + std::string(page) +
                                         "\0\0\0"s + out_1_end + end_1);
  EXPECT_EQ(application.outcome().open, 0U);
}

}  // namespace
}  // namespace trivet::protocol
