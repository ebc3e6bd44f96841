#include "runtime/protocol/record_decoder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol {
namespace {

using namespace std::string_literals;

struct HeaderCase {
  std::string_view name;
  std::array<std::uint8_t, RecordHeader::wire_size> wire;
  std::optional<RecordHeader> expected;

  friend void PrintTo(const HeaderCase& each, std::ostream* to) { *to << each.name; }
};

constexpr HeaderCase header_cases[] = {
    {"C10_BigEndian", {1, 5, 0x12, 0x34, 0x56, 0x78, 0x9a, 0}, RecordHeader{5, 0x1234, 0x5678, 0x9a}},
    {"C12_LargestLengths", {1, 8, 0, 1, 0xff, 0xff, 0xff, 0}, RecordHeader{8, 1, 65535, 255}},
    {"C13_ReservedByteIsIgnored", {1, 4, 0, 1, 0, 2, 0, 0xff}, RecordHeader{4, 1, 2, 0}},
    {"C19_LargestId", {1, 4, 0xff, 0xff, 0, 0, 0, 0}, RecordHeader{4, 65535, 0, 0}},
    {"UnknownTypeIsKept", {1, 99, 0, 0, 0, 0, 0, 0}, RecordHeader{99, 0, 0, 0}},
    {"C11_Version0IsRefused", {0, 1, 0, 1, 0, 8, 0, 0}, std::nullopt},
    {"C11_Version2IsRefused", {2, 1, 0, 1, 0, 8, 0, 0}, std::nullopt},
    {"C11_Version255IsRefused", {255, 1, 0, 1, 0, 8, 0, 0}, std::nullopt},
};

class RecordHeaderDecoding : public testing::TestWithParam<HeaderCase> {};

TEST_P(RecordHeaderDecoding, MatchesTheSpecification) {
  EXPECT_EQ(decode(GetParam().wire), GetParam().expected);
}

TEST_P(RecordHeaderDecoding, C13_IsUndoneByEncodingWithReservedZero) {
  const std::optional<RecordHeader> expected = GetParam().expected;
  if (!expected) return;
  auto wire = GetParam().wire;
  wire[7] = 0;
  EXPECT_EQ(encode(*expected), wire);
}

INSTANTIATE_TEST_SUITE_P(Table, RecordHeaderDecoding, testing::ValuesIn(header_cases),
                         [](const auto& each) { return std::string(each.param.name); });

using Steps = std::vector<std::string>;

enum class Way : bool { in_steps, whole_where_it_can };

std::string told(const RecordHeader& header) {
  return "type " + std::to_string(header.type) + " id " + std::to_string(header.request_id) + " content " +
         std::to_string(header.content_length) + " padding " + std::to_string(header.padding_length);
}

/// The steps that pieces of `bytes` lead to, content of one record joined. Of a record that is taken whole
/// the steps that it stands for.
Steps steps_of(std::string_view bytes, std::size_t first, std::size_t piece, Way way) {
  RecordDecoder decoder;
  Steps steps;
  bool joins = false;
  const auto feed = [&](std::string_view part) {
    const std::vector<std::uint8_t> block(part.begin(), part.end());
    base::Bytes input(block);
    for (;;) {
      base::Bytes content;
      if (way == Way::whole_where_it_can && decoder.take_whole(input, content)) {
        steps.push_back(told(decoder.header()));
        if (!content.empty()) steps.push_back("content " + std::string(base::as_text(content)));
        steps.emplace_back("end");
        joins = false;
        continue;
      }
      const RecordStep step = decoder.next(input);
      if (step.kind == RecordStep::Kind::content) {
        EXPECT_FALSE(step.content.empty());
        if (!joins) steps.emplace_back("content ");
        steps.back() += base::as_text(step.content);
        joins = true;
        continue;
      }
      if (step.kind == RecordStep::Kind::more) break;
      joins = false;
      if (step.kind == RecordStep::Kind::wrong_version) {
        if (steps.empty() || steps.back() != "wrong version") steps.emplace_back("wrong version");
        break;
      }
      steps.push_back(step.kind == RecordStep::Kind::end ? "end" : told(decoder.header()));
    }
    if (steps.empty() || steps.back() != "wrong version") {
      EXPECT_TRUE(input.empty());
    }
  };
  feed(bytes.substr(0, first));
  for (std::size_t at = first; at < bytes.size(); at += piece) feed(bytes.substr(at, piece));
  steps.emplace_back(decoder.at_boundary() ? "boundary" : "inside");
  return steps;
}

struct DecoderCase {
  std::string_view name;
  std::string bytes;
  Steps expected;

  friend void PrintTo(const DecoderCase& each, std::ostream* to) { *to << each.name; }
};

const std::string largest(65535, 'x');

const DecoderCase decoder_cases[] = {
    {"NothingIsABoundary", "", {"boundary"}},
    {"C10_OneRecord",
     wire::record(5, 7, "hello"),
     {"type 5 id 7 content 5 padding 0", "content hello", "end", "boundary"}},
    {"C10_CutHeaderIsKept", "\1\5\0\7\0\5\0"s, {"inside"}},
    {"C10_CutContentIsInside",
     wire::record(5, 7, "hello").substr(0, 10),
     {"type 5 id 7 content 5 padding 0", "content he", "inside"}},
    {"C10_CutPaddingIsInside",
     wire::record(5, 7, "a", {"123"}).substr(0, 11),
     {"type 5 id 7 content 1 padding 3", "content a", "end", "inside"}},
    {"C12_EmptyContentWithPaddingThatLooksLikeRecords",
     wire::record(4, 1, "", {wire::begin(2, 1)}) + wire::record(5, 1, "z"),
     {"type 4 id 1 content 0 padding 16", "end", "type 5 id 1 content 1 padding 0", "content z", "end",
      "boundary"}},
    {"C12_PaddingOfAnyBytes",
     wire::record(5, 1, "one", {std::string(255, '\xff')}) + wire::record(5, 1, "two"),
     {"type 5 id 1 content 3 padding 255", "content one", "end", "type 5 id 1 content 3 padding 0",
      "content two", "end", "boundary"}},
    {"C12_LargestContentAndPaddingTogether",
     wire::record(8, 65535, largest, {std::string(255, '\1')}) + wire::record(8, 1, ""),
     {"type 8 id 65535 content 65535 padding 255", "content " + largest, "end",
      "type 8 id 1 content 0 padding 0", "end", "boundary"}},
    {"C13_ReservedByteOfAnyValue",
     wire::record(4, 1, "p", {"", 255}),
     {"type 4 id 1 content 1 padding 0", "content p", "end", "boundary"}},
    {"C11_WrongVersionIsToldAtItsFirstByte", "\2", {"wrong version", "inside"}},
    {"C11_AnotherProtocol", "GET / HTTP/1.1\r\n\r\n", {"wrong version", "inside"}},
    {"C11_NothingIsReadAfterAWrongVersion", "\0"s + wire::record(5, 7, "hello"), {"wrong version", "inside"}},
    {"C11_WrongVersionAfterAGoodRecord",
     wire::record(5, 7, "") + "\0\5\0\7\0\0\0\0"s,
     {"type 5 id 7 content 0 padding 0", "end", "wrong version", "inside"}},
};

class RecordDecoding : public testing::TestWithParam<DecoderCase> {};

TEST_P(RecordDecoding, GivesTheSameStepsHoweverCut) {
  const auto& [name, bytes, expected] = GetParam();
  for (const Way way : {Way::in_steps, Way::whole_where_it_can}) {
    EXPECT_EQ(steps_of(bytes, bytes.size(), bytes.size(), way), expected);
    EXPECT_EQ(steps_of(bytes, 0, 1, way), expected) << "one byte at a time";
    // The largest record is cut everywhere near its ends, and every 251 bytes in between.
    const auto is_near_an_end = [&](std::size_t at) { return at < 1000 || bytes.size() - at < 1000; };
    for (std::size_t first = 1; first < bytes.size(); ++first) {
      if (!is_near_an_end(first) && first % 251 != 0) continue;
      ASSERT_EQ(steps_of(bytes, first, bytes.size(), way), expected) << "cut after byte " << first;
    }
  }
}

TEST(RecordDecoding, TakesARecordAtOnceWhenTheLastByteOfItsPaddingIsThere) {
  const std::string record = wire::record(5, 7, "hello", {"123"});
  for (std::size_t size = 0; size <= record.size(); ++size) {
    RecordDecoder decoder;
    const base::Bytes given = wire::bytes(record).first(size);
    base::Bytes input = given;
    base::Bytes content;
    EXPECT_EQ(decoder.take_whole(input, content), size == record.size()) << size;
    EXPECT_EQ(input.size(), size == record.size() ? 0 : size);
    EXPECT_EQ(wire::text(content), size == record.size() ? "hello" : "");
    EXPECT_TRUE(decoder.at_boundary());
    if (size == 0 || size == record.size()) continue;
    // What began in pieces goes on in pieces, whatever the rest looks like.
    while (decoder.next(input).kind != RecordStep::Kind::more) {
    }
    base::Bytes another = wire::bytes(record);
    EXPECT_FALSE(decoder.take_whole(another, content)) << size;
  }
}

TEST(RecordDecoding, TakesRecordsAtOnceAgainAfterOneThatWasCut) {
  const std::string cut = wire::record(5, 7, "hello", {"123"});
  const std::string bytes = cut + wire::record(4, 9, "next");
  const std::size_t padding_at = cut.size() - 3;
  for (std::size_t first = 1; first < padding_at; ++first) {
    RecordDecoder decoder;
    base::Bytes input = wire::bytes(bytes).first(first);
    while (decoder.next(input).kind != RecordStep::Kind::more) {
    }
    input = wire::bytes(bytes).subspan(first);
    while (decoder.next(input).kind != RecordStep::Kind::end) {
    }
    EXPECT_TRUE(decoder.at_boundary()) << "the padding went with the end, cut after byte " << first;
    base::Bytes content;
    EXPECT_TRUE(decoder.take_whole(input, content)) << "cut after byte " << first;
    EXPECT_EQ(wire::text(content), "next");
    EXPECT_TRUE(input.empty());
  }
}

/// A reader that wants to stop between two records reads only what it is told, and gets there.
TEST_P(RecordDecoding, StopsAtEachBoundaryWhenOnlyWhatIsCertainIsRead) {
  const std::string& bytes = GetParam().bytes;
  RecordDecoder decoder;
  std::size_t at = 0;
  std::size_t boundaries = 0;
  while (at < bytes.size()) {
    const std::size_t certain = decoder.bytes_to_boundary();
    if (certain == 0) ++boundaries;
    const std::size_t size = std::min(std::max<std::size_t>(certain, 1), bytes.size() - at);
    base::Bytes input = wire::bytes(bytes).subspan(at, size);
    at += size;
    RecordStep::Kind kind = RecordStep::Kind::header;
    while (kind != RecordStep::Kind::more && kind != RecordStep::Kind::wrong_version) {
      kind = decoder.next(input).kind;
    }
    if (kind == RecordStep::Kind::wrong_version) {
      EXPECT_EQ(decoder.bytes_to_boundary(), 0U) << "there is no boundary any more";
      break;
    }
  }
  // Every record that began, the refused one too, began at a boundary that was told.
  std::size_t began = 0;
  for (const std::string& step : GetParam().expected) {
    began += step.starts_with("type") || step == "wrong version" ? 1 : 0;
  }
  if (GetParam().expected == Steps{"inside"}) began = 1;
  EXPECT_EQ(boundaries, began);
}

INSTANTIATE_TEST_SUITE_P(Table, RecordDecoding, testing::ValuesIn(decoder_cases),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace trivet::protocol
