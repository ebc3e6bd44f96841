#include "runtime/protocol/encoder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "runtime/protocol/record_decoder.hpp"
#include "runtime/protocol/record_pieces.hpp"
#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol {
namespace {

using namespace std::literals;

/// A buffer whose free memory is full of something that must never be sent.
base::Buffer stale_buffer() {
  base::Buffer buffer;
  const auto room = buffer.prepare(1U << 19U);
  std::fill(room.begin(), room.end(), std::uint8_t{0xee});
  buffer.commit(room.size());
  buffer.clear();
  return buffer;
}

struct EncoderCase {
  std::string_view name;
  void (*write)(base::Buffer&);
  std::string expected;

  friend void PrintTo(const EncoderCase& each, std::ostream* to) { *to << each.name; }
};

const EncoderCase encoder_cases[] = {
    {"C14_StreamIsPaddedWithZeros",
     [](base::Buffer& out) { append_stream(out, RecordType::standard_out, 258, wire::bytes("hello")); },
     "\1\6\1\2\0\5\3\0hello\0\0\0"s},
    {"C14_EightBytesNeedNoPadding",
     [](base::Buffer& out) { append_stream(out, RecordType::standard_error, 1, wire::bytes("12345678")); },
     "\1\7\0\1\0\10\0\0"s + "12345678"},
    {"C21_EmptyContentWritesNothing",
     [](base::Buffer& out) { append_stream(out, RecordType::standard_out, 1, {}); }, ""},
    {"C21_EndOfStreamIsOneEmptyRecord",
     [](base::Buffer& out) { append_stream_end(out, RecordType::standard_out, 65535); },
     "\1\6\xff\xff\0\0\0\0"s},
    {"C53_EndRequestHasEightBytesReservedZero",
     [](base::Buffer& out) { append_end_request(out, 1, 0, ProtocolStatus::request_complete); },
     "\1\3\0\1\0\10\0\0\0\0\0\0\0\0\0\0"s},
    {"C53_AppStatusIsBigEndian",
     [](base::Buffer& out) { append_end_request(out, 1, 0xfedcba98U, ProtocolStatus::overloaded); },
     "\1\3\0\1\0\10\0\0\xfe\xdc\xba\x98\2\0\0\0"s},
    {"C53_AnAnswerEndsWithItsStreamAndItsRequest",
     [](base::Buffer& out) { append_answer_end(out, 258, 0xfedcba98U, ProtocolStatus::overloaded); },
     "\1\6\1\2\0\0\0\0\1\3\1\2\0\10\0\0\xfe\xdc\xba\x98\2\0\0\0"s},
    {"C46_CantMultiplexHasItsNumber",
     [](base::Buffer& out) { append_end_request(out, 2, 0, ProtocolStatus::cant_multiplex_connection); },
     "\1\3\0\2\0\10\0\0\0\0\0\0\1\0\0\0"s},
    {"C45_UnknownRoleHasItsNumber",
     [](base::Buffer& out) { append_end_request(out, 2, 0, ProtocolStatus::unknown_role); },
     "\1\3\0\2\0\10\0\0\0\0\0\0\3\0\0\0"s},
    {"C44_BeginRequest", [](base::Buffer& out) { append_begin_request(out, 3, 2, true); },
     "\1\1\0\3\0\10\0\0\0\2\1\0\0\0\0\0"s},
    {"C44_BeginRequestOfAnyRoleWithoutKeeping",
     [](base::Buffer& out) { append_begin_request(out, 3, 0xabcd, false); },
     "\1\1\0\3\0\10\0\0\xab\xcd\0\0\0\0\0\0"s},
    {"C49_AbortRequestIsEmpty", [](base::Buffer& out) { append_abort_request(out, 3); }, "\1\2\0\3\0\0\0\0"s},
    {"C42_UnknownTypeNamesTheType", [](base::Buffer& out) { append_unknown_type(out, 200); },
     "\1\13\0\0\0\10\0\0\310\0\0\0\0\0\0\0"s},
    {"C23_ShortPair", [](base::Buffer& out) { append_pair(out, "name", "value"); }, "\4\5namevalue"},
    {"C23_EmptyPair", [](base::Buffer& out) { append_pair(out, "", ""); }, "\0\0"s},
    {"C23_LongestShortLengths",
     [](base::Buffer& out) { append_pair(out, std::string(127, 'n'), std::string(127, 'v')); },
     "\x7f\x7f" + std::string(127, 'n') + std::string(127, 'v')},
    {"C23_ShortestLongLengths",
     [](base::Buffer& out) { append_pair(out, std::string(128, 'n'), std::string(66051, 'v')); },
     "\x80\0\0\x80\x80\1\2\3"s + std::string(128, 'n') + std::string(66051, 'v')},
    {"RecordWrittenByItsCaller",
     [](base::Buffer& out) {
       const std::size_t at = begin_record(out);
       out.append("Status: 200 OK\r\n\r\n"sv);
       end_record(out, at, RecordType::standard_out, 9);
     },
     "\1\6\0\11\0\22\6\0Status: 200 OK\r\n\r\n\0\0\0\0\0\0"s},
    {"RecordWrittenByItsCallerMayStayEmpty",
     [](base::Buffer& out) { end_record(out, begin_record(out), RecordType::get_values_result, 0); },
     "\1\12\0\0\0\0\0\0"s},
};

class Encoding : public testing::TestWithParam<EncoderCase> {};

TEST_P(Encoding, C13_WritesExactlyTheseBytesAlsoIntoUsedMemory) {
  base::Buffer out = stale_buffer();
  GetParam().write(out);
  EXPECT_EQ(wire::text(out.bytes()), GetParam().expected);
}

TEST_P(Encoding, AppendsAfterWhatIsThereWhereverThatLies) {
  base::Buffer out;
  out.append("gone"sv);
  out.append("before"sv);
  out.consume(4);
  GetParam().write(out);
  EXPECT_EQ(wire::text(out.bytes()), "before" + GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Table, Encoding, testing::ValuesIn(encoder_cases),
                         [](const auto& each) { return std::string(each.param.name); });

struct StreamCase {
  std::size_t size;
  std::vector<std::uint16_t> records;

  friend void PrintTo(const StreamCase& each, std::ostream* to) { *to << each.size; }
};

const StreamCase stream_cases[] = {
    {1, {1}},
    {7, {7}},
    {9, {9}},
    {65527, {65527}},
    {65528, {65528}},
    {65529, {65528, 1}},
    {65535, {65528, 7}},
    {65536, {65528, 8}},
    {131056, {65528, 65528}},
    {200000, {65528, 65528, 65528, 3416}},
};

class StreamEncoding : public testing::TestWithParam<StreamCase> {};

TEST_P(StreamEncoding, C20_SplitsAndLosesNothing) {
  std::string content(GetParam().size, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 % 251);
  base::Buffer out = stale_buffer();
  append_stream(out, RecordType::standard_out, 5, wire::bytes(content));

  std::string expected;
  std::size_t at = 0;
  for (const std::uint16_t size : GetParam().records) {
    expected += wire::padded(wire::standard_out, 5, std::string_view(content).substr(at, size));
    at += size;
  }
  ASSERT_EQ(at, content.size());
  EXPECT_EQ(wire::text(out.bytes()), expected);
  EXPECT_EQ(out.size() % 8, 0U) << "C14: records stay aligned";
}

TEST_P(StreamEncoding, IsTheSameInPiecesWhereverTheyAreCut) {
  const std::string content(GetParam().size, 'c');
  base::Buffer whole;
  append_stream(whole, RecordType::standard_out, 5, wire::bytes(content));
  const RecordPieces records(RecordType::standard_out, 5, wire::bytes(content));
  EXPECT_EQ(records.content_size(), content.size());
  ASSERT_EQ(records.size(), whole.size());
  const std::size_t step = whole.size() < 100 ? 1 : 997;
  for (std::size_t cut = 0; cut <= whole.size(); cut += step) {
    base::Buffer out = stale_buffer();
    records.append_rest(cut, out);
    ASSERT_TRUE(std::ranges::equal(out.bytes(), whole.bytes().subspan(cut))) << "cut after " << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, StreamEncoding, testing::ValuesIn(stream_cases),
                         [](const auto& each) { return std::to_string(each.param.size); });

TEST(RecordPiecesOfMuch, LeaveTheRestToTheNext) {
  const std::string content(RecordPieces::most_records * split_content + 3, 'c');
  const RecordPieces first(RecordType::standard_out, 5, wire::bytes(content));
  EXPECT_EQ(first.content_size(), content.size() - 3);
  EXPECT_LE(first.pieces().size(), RecordPieces::most_pieces);
  const RecordPieces second(RecordType::standard_out, 5, wire::bytes(content).subspan(first.content_size()));
  EXPECT_EQ(second.content_size(), 3U);
  EXPECT_EQ(second.size(), 16U);
}

TEST(RecordPiecesOfNothing, AreNone) {
  const RecordPieces none(RecordType::standard_out, 5, {});
  EXPECT_TRUE(none.pieces().empty());
  EXPECT_EQ(none.size(), 0U);
}

TEST(RecordEncoding, TakesTheLargestContentThatALengthCanSay) {
  base::Buffer out;
  const std::size_t at = begin_record(out);
  const std::string content(max_content, 'x');
  out.append(content);
  end_record(out, at, RecordType::standard_out, 1);
  EXPECT_EQ(wire::text(out.bytes()), wire::padded(wire::standard_out, 1, content));
}

/// One byte more would be narrowed to the length 0, and the content would become records.
TEST(RecordEncodingDeathTest, EndsTheProcessRatherThanNarrowALength) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        base::Buffer out;
        const std::size_t at = begin_record(out);
        out.append(std::string(max_content + 1, 'x'));
        end_record(out, at, RecordType::standard_out, 1);
      },
      "");
}

}  // namespace
}  // namespace trivet::protocol
