#include "runtime/source/byte_ranges.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace trivet::source {
namespace {

using Parts = std::vector<ByteRange>;
constexpr auto whole = ByteRanges::Kind::whole;
constexpr auto parts = ByteRanges::Kind::parts;
constexpr auto unsatisfiable = ByteRanges::Kind::unsatisfiable;

struct RangeCase {
  std::string_view name;
  std::string header;
  std::uint64_t size;
  ByteRanges::Kind kind;
  Parts expected = {};
};

std::string sixteen_and(std::string_view more) {
  std::string header = "bytes=";
  for (int i = 0; i < 16; ++i) header += std::to_string(2 * i) + "-" + std::to_string(2 * i) + ",";
  return header + std::string(more);
}

const RangeCase range_cases[] = {
    {"Absent", "", 100, whole},
    {"FirstBytes", "bytes=0-9", 100, parts, {{0, 10}}},
    {"OneByte", "bytes=5-5", 100, parts, {{5, 1}}},
    {"TheLastByte", "bytes=99-99", 100, parts, {{99, 1}}},
    {"ToTheEnd", "bytes=90-", 100, parts, {{90, 10}}},
    {"AllOfIt", "bytes=0-", 100, parts, {{0, 100}}},
    {"BeyondTheEndIsCut", "bytes=90-1000", 100, parts, {{90, 10}}},
    {"AVeryLargeEnd", "bytes=0-99999999999999999999999999", 100, parts, {{0, 100}}},
    {"AVeryLargeBegin", "bytes=99999999999999999999999999-", 100, unsatisfiable},
    {"Suffix", "bytes=-10", 100, parts, {{90, 10}}},
    {"SuffixLargerThanTheFile", "bytes=-1000", 100, parts, {{0, 100}}},
    {"EmptySuffix", "bytes=-0", 100, unsatisfiable},
    {"SuffixOfNothing", "bytes=-5", 0, unsatisfiable},
    {"BeginOfNothing", "bytes=0-", 0, unsatisfiable},
    {"Behind", "bytes=100-", 100, unsatisfiable},
    {"BehindWithAnEnd", "bytes=100-200", 100, unsatisfiable},
    {"Two", "bytes=0-1,3-4", 100, parts, {{0, 2}, {3, 2}}},
    {"TwoInTheOrderTheyCame", "bytes=50-59,0-9", 100, parts, {{50, 10}, {0, 10}}},
    {"BlanksAround", "bytes= 0-1 ,\t3-4 ", 100, parts, {{0, 2}, {3, 2}}},
    {"EmptyElements", "bytes=,0-1,,3-4,", 100, parts, {{0, 2}, {3, 2}}},
    {"OneOfTwoIsBehind", "bytes=200-,0-1", 100, parts, {{0, 2}}},
    {"BothAreBehind", "bytes=200-,300-", 100, unsatisfiable},
    {"Neighbours", "bytes=0-4,5-9", 100, parts, {{0, 5}, {5, 5}}},
    {"Overlapping", "bytes=0-5,5-9", 100, whole},
    {"OneInTheOther", "bytes=0-99,5-9", 100, whole},
    {"TheSameTwice", "bytes=0-,0-", 100, whole},
    {"SuffixOverlaps", "bytes=0-49,-60", 100, whole},
    {"Sixteen",
     sixteen_and(""),
     100,
     parts,
     {{0, 1},
      {2, 1},
      {4, 1},
      {6, 1},
      {8, 1},
      {10, 1},
      {12, 1},
      {14, 1},
      {16, 1},
      {18, 1},
      {20, 1},
      {22, 1},
      {24, 1},
      {26, 1},
      {28, 1},
      {30, 1}}},
    {"Seventeen", sixteen_and("50-50"), 100, whole},
    {"SeventeenThoughOneIsBehind", sixteen_and("200-"), 100, whole},
    {"UnitInCapitals", "Bytes=0-9", 100, parts, {{0, 10}}},
    {"AnotherUnit", "lines=0-9", 100, whole},
    {"NoUnit", "0-9", 100, whole},
    {"BlankBeforeTheEqualsSign", "bytes =0-9", 100, whole},
    {"NothingAsked", "bytes=", 100, whole},
    {"CommasOnly", "bytes=,,", 100, whole},
    {"DashOnly", "bytes=-", 100, whole},
    {"NoDash", "bytes=5", 100, whole},
    {"EndBeforeBegin", "bytes=9-5", 100, whole},
    {"EndBeforeBeginBehind", "bytes=900-500", 100, whole},
    {"Letters", "bytes=a-b", 100, whole},
    {"Hexadecimal", "bytes=0x0-0x9", 100, whole},
    {"Signed", "bytes=+0-9", 100, whole},
    {"TwoDashes", "bytes=0--9", 100, whole},
    {"NegativeTwice", "bytes=--5", 100, whole},
    {"BlankInside", "bytes=0 -9", 100, whole},
    {"OneWrongSpoilsAll", "bytes=0-1,x", 100, whole},
    {"Huge", "bytes=9223372036854775806-", 9223372036854775807ULL, parts, {{9223372036854775806ULL, 1}}},
};

class ByteRangesOf : public ::testing::TestWithParam<RangeCase> {};

TEST_P(ByteRangesOf, AHeader) {
  const ByteRanges read = ByteRanges::read(GetParam().header, GetParam().size);
  EXPECT_EQ(read.kind(), GetParam().kind);
  if (GetParam().kind != parts) return;
  EXPECT_EQ(Parts(read.parts().begin(), read.parts().end()), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(Headers, ByteRangesOf, ::testing::ValuesIn(range_cases),
                         [](const auto& each) { return std::string(each.param.name); });

/// Whatever is asked, the parts are inside the file and together not larger than it.
TEST(ByteRanges, AreNeverMoreThanTheFile) {
  const std::string pieces[] = {"0-", "-1", "3-7", "9-9", "2-2", "-0", "10-", "5-", "x", "", "7-3", "0-0"};
  for (const std::string& a : pieces) {
    for (const std::string& b : pieces) {
      for (const std::string& c : pieces) {
        for (const std::uint64_t size : {0U, 1U, 9U, 10U, 11U}) {
          const ByteRanges read = ByteRanges::read("bytes=" + a + "," + b + "," + c, size);
          std::uint64_t sum = 0;
          for (const ByteRange& part : read.parts()) {
            ASSERT_GE(part.length, 1U);
            ASSERT_LT(part.last(), size);
            sum += part.length;
          }
          if (read.kind() == parts) {
            ASSERT_LE(sum, size) << a << b << c;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace trivet::source
