#include "runtime/cli/trace.hpp"

#include <gtest/gtest.h>

#include "runtime/base/buffer.hpp"
#include "runtime/protocol/encoder.hpp"

namespace trivet::cli {
namespace {

std::string conversation() {
  base::Buffer out;
  protocol::append_begin_request(out, 1, 1, true);
  base::Buffer pairs;
  protocol::append_pair(pairs, "REQUEST_METHOD", "GET");
  protocol::append_pair(pairs, "X", "a\"\x01");
  protocol::append_stream(out, protocol::RecordType::params, 1, pairs.bytes());
  protocol::append_stream_end(out, protocol::RecordType::params, 1);
  protocol::append_stream(out, protocol::RecordType::standard_in, 1, base::as_bytes(std::string(60, 'b')));
  return std::string(base::as_text(out.bytes()));
}

constexpr std::string_view told =
    "> BEGIN_REQUEST id=1 length=8 padding=0 role=RESPONDER keep_conn\n"
    "> PARAMS id=1 length=25 padding=7 REQUEST_METHOD=\"GET\" X=\"a\\\"\\x01\"\n"
    "> PARAMS id=1 length=0 padding=0\n"
    "> STDIN id=1 length=60 padding=4 \"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"...\n";

TEST(Trace, ShowsOneLineARecordAtEveryCut) {
  const std::string all = conversation();
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    Trace trace('>');
    std::string lines = trace.feed(base::as_bytes(all).first(cut));
    lines += trace.feed(base::as_bytes(all).subspan(cut));
    lines += trace.end();
    EXPECT_EQ(lines, told) << cut;
  }
}

TEST(Trace, ShowsWhatTheEndOfTheStreamCut) {
  const std::string all = conversation();
  Trace header('<');
  EXPECT_EQ(header.feed(base::as_bytes(all).first(5)), "");
  EXPECT_EQ(header.end(), "< cut within a header or padding\n");
  Trace content('<');
  EXPECT_EQ(content.feed(base::as_bytes(all).first(12)), "");
  EXPECT_EQ(content.end(), "< BEGIN_REQUEST id=1 length=8 padding=0 cut after 4 bytes\n");
}

TEST(Trace, ShowsAnEndWithItsStatuses) {
  base::Buffer out;
  protocol::append_end_request(out, 7, 258, protocol::ProtocolStatus::overloaded);
  Trace trace('<');
  EXPECT_EQ(trace.feed(out.bytes()),
            "< END_REQUEST id=7 length=8 padding=0 app_status=258 protocol_status=OVERLOADED\n");
}

TEST(Trace, ShowsAPairThatIsCutByItsRecordAsBytes) {
  base::Buffer pairs;
  protocol::append_pair(pairs, "NAME", "value");
  base::Buffer out;
  protocol::append_stream(out, protocol::RecordType::params, 1, pairs.bytes().first(6));
  protocol::append_stream(out, protocol::RecordType::params, 1, pairs.bytes().subspan(6));
  Trace trace('>');
  EXPECT_EQ(
      trace.feed(out.bytes()),
      "> PARAMS id=1 length=6 padding=2 \"\\x04\\x05NAME\"\n> PARAMS id=1 length=5 padding=3 \"value\"\n");
}

TEST(Trace, SaysOnceThatSomethingIsNotFastcgi) {
  Trace trace('<');
  EXPECT_EQ(trace.feed(base::as_bytes("HTTP/1.1 400 Bad Request\r\n")),
            "< not FastCGI 1: \"HTTP/1.1 400 Bad Request\\x0d\\x0a\"\n");
  EXPECT_EQ(trace.feed(base::as_bytes("more")), "");
  EXPECT_EQ(trace.end(), "");
}

}  // namespace
}  // namespace trivet::cli
