#include "runtime/config/text.hpp"

#include <gtest/gtest.h>

namespace trivet::config {
namespace {

struct Utf8Case {
  std::string_view name;
  std::string_view text;
  std::optional<std::size_t> invalid_at;
};

constexpr Utf8Case utf8_cases[] = {
    {"Empty", "", std::nullopt},
    {"Ascii", "abc", std::nullopt},
    {"TwoBytes", "\xc3\xbc", std::nullopt},
    {"ThreeBytes", "\xe6\x96\x87", std::nullopt},
    {"FourBytes", "\xf0\x9f\x98\x80", std::nullopt},
    {"LargestCodePoint", "\xf4\x8f\xbf\xbf", std::nullopt},
    {"BeyondTheLargest", "\xf4\x90\x80\x80", 0},
    {"OverlongSlash", "a\xc0\xaf", 1},
    {"OverlongInThreeBytes", "\xe0\x80\xaf", 0},
    {"OverlongInFourBytes", "\xf0\x80\x80\xaf", 0},
    {"Surrogate", "ab\xed\xa0\x80", 2},
    {"LoneContinuation", "\x80", 0},
    {"CutTwoBytes", "x\xc3", 1},
    {"CutThreeBytes", "\xe6\x96", 0},
    {"CutFourBytes", "\xf0\x9f\x98", 0},
    {"ContinuationIsMissing", "\xe6\x41\x87", 0},
    {"Latin1", "gr\xfc\xdf", 2},
    {"NeverALead", "\xff", 0},
};

class Utf8 : public testing::TestWithParam<Utf8Case> {};

TEST_P(Utf8, FirstInvalidByteIsFound) {
  EXPECT_EQ(find_invalid_utf8(GetParam().text), GetParam().invalid_at);
}

INSTANTIATE_TEST_SUITE_P(Cases, Utf8, testing::ValuesIn(utf8_cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(DisplayWidth, WideCharactersTakeTwoColumnsAndCombiningMarksNone) {
  EXPECT_EQ(display_width(U'a'), 1U);
  EXPECT_EQ(display_width(U'ü'), 1U);
  EXPECT_EQ(display_width(U'文'), 2U);
  EXPECT_EQ(display_width(U'한'), 2U);
  EXPECT_EQ(display_width(0x1F600), 2U);
  EXPECT_EQ(display_width(0x0301), 0U);
  EXPECT_EQ(display_width(0x2FF), 1U);
  EXPECT_EQ(display_width(0x10FFFF), 1U);
}

TEST(Quoted, NothingThatATerminalObeysGetsThrough) {
  EXPECT_EQ(in_quotes("a\x1b[31mb"), R"("a\x1b[31mb")");
  EXPECT_EQ(in_quotes("a\nb\tc\r"), R"("a\nb\tc\r")");
  EXPECT_EQ(in_quotes("\xe2\x80\xae"), R"("\u202e")");
  EXPECT_EQ(in_quotes("\xc2\x9b"), R"("\u009b")");
  EXPECT_EQ(in_quotes("\xff"), R"("\xff")");
  EXPECT_EQ(in_quotes(std::string_view("\0", 1)), R"("\x00")");
}

TEST(Quoted, QuotesAndBackslashesAreEscaped) { EXPECT_EQ(in_quotes(R"(a"b\c)"), R"("a\"b\\c")"); }

TEST(Quoted, LongTextIsCutBetweenCodePoints) {
  EXPECT_EQ(in_quotes(std::string(100, 'a')), '"' + std::string(100, 'a') + '"');
  EXPECT_EQ(in_quotes(std::string(101, 'a')), '"' + std::string(100, 'a') + "...\"");
  EXPECT_EQ(in_quotes(std::string(99, 'a') + "ü"), '"' + std::string(99, 'a') + "...\"");
}

TEST(OneLine, KeepsQuotesAndEscapesLineEnds) { EXPECT_EQ(one_line("a \"b\"\nc"), "a \"b\"\\nc"); }

}  // namespace
}  // namespace trivet::config
