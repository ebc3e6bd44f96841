#include "runtime/log/line.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <memory>
#include <string>

namespace trivet::log {
namespace {

using namespace std::string_literals;
using Format = Settings::Format;

std::string text_line(std::string_view text, std::initializer_list<Field> fields) {
  return std::string(Line(Format::text, Line::Time::absent, Level::info, text, fields).without_end());
}
std::string json_line(std::string_view text, std::initializer_list<Field> fields) {
  return std::string(Line(Format::json, Line::Time::absent, Level::info, text, fields).without_end());
}

/// As a text line shows a value that holds `c` and else what stands bare.
std::string shown(std::string value, char c) {
  if (std::string_view("-_.,:/@%+").find(c) != std::string_view::npos) return value;
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x80 && std::isalnum(byte) != 0) return value;
  if (byte < 0x20 || byte >= 0x7f) {
    constexpr std::string_view digits = "0123456789abcdef";
    value.replace(value.find(c), 1, {'\\', 'x', digits[byte / 16], digits[byte % 16]});
  } else if (c == '"' || c == '\\') {
    value.insert(value.find(c), 1, '\\');
  }
  return '"' + value + '"';
}

TEST(LineOfText, TellsEveryByteAtEveryPlaceOfAValueOfAnyLength) {
  const std::string filling = "0az9AZ-_.,:/@%+BCDEFGHIJKLMNOPQRSTUVWXYbcdefghijklmn";
  for (std::size_t length = 1; length <= filling.size(); ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (int c = 0; c < 256; ++c) {
        const std::unique_ptr<char[]> alone(new char[length]);  // So that a byte too many is found.
        filling.copy(alone.get(), length);
        alone[at] = static_cast<char>(c);
        const std::string_view value(alone.get(), length);
        ASSERT_EQ(text_line("event", {{"key", value}}),
                  "info  event key=" + shown(std::string(value), static_cast<char>(c)))
            << "byte " << c << " at " << at << " of " << length;
      }
    }
  }
}

struct ValueCase {
  const char* name;
  std::string value;
  std::string text;
  std::string json;
};

class LineValue : public testing::TestWithParam<ValueCase> {};

TEST_P(LineValue, IsEscapedForItsFormat) {
  EXPECT_EQ(text_line("event", {{"key", GetParam().value}}), "info  event key=" + GetParam().text);
  EXPECT_EQ(json_line("event", {{"key", GetParam().value}}),
            R"({"level":"info","text":"event","key":")" + GetParam().json + "\"}");
}

const ValueCase value_cases[] = {
    {"Bare", "10.0.0.1:80", "10.0.0.1:80", "10.0.0.1:80"},
    {"Empty", "", R"("")", ""},
    {"Space", "a b", R"("a b")", "a b"},
    {"Equals", "a=b", R"("a=b")", "a=b"},
    {"Quote", "a\"b", R"("a\"b")", R"(a\"b)"},
    {"Backslash", "a\\b", R"("a\\b")", R"(a\\b)"},
    {"NewLine", "a\nforged", R"("a\x0aforged")", R"(a\\x0aforged)"},
    {"CarriageReturn", "a\r", R"("a\x0d")", R"(a\\x0d)"},
    {"Tab", "a\tb", R"("a\x09b")", R"(a\\x09b)"},
    {"Escape", "\x1b[31m", R"("\x1b[31m")", R"(\\x1b[31m)"},
    {"Nul", "a\0b"s, R"("a\x00b")", R"(a\\x00b)"},
    {"Delete", "\x7f", R"("\x7f")", R"(\\x7f)"},
    {"Utf8", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
     "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"",
     "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"LoneContinuation", "\x80", R"("\x80")", R"(\\x80)"},
    {"Overlong", "\xc0\xaf", R"("\xc0\xaf")", R"(\\xc0\\xaf)"},
    {"OverlongThree", "\xe0\x80\x8a", R"("\xe0\x80\x8a")", R"(\\xe0\\x80\\x8a)"},
    {"Surrogate", "\xed\xa0\x80", R"("\xed\xa0\x80")", R"(\\xed\\xa0\\x80)"},
    {"PastUnicode", "\xf4\x90\x80\x80", R"("\xf4\x90\x80\x80")", R"(\\xf4\\x90\\x80\\x80)"},
    {"CutCharacter", "a\xe2\x82", R"("a\xe2\x82")", R"(a\\xe2\\x82)"},
    {"ControlSequenceIntroducer",
     "\xc2\x9b"
     "31m",
     R"("\xc2\x9b31m")", R"(\\xc2\\x9b31m)"},
    {"LineSeparator", "\xe2\x80\xa8", R"("\xe2\x80\xa8")", R"(\\xe2\\x80\\xa8)"},
    {"RightToLeftOverride", "\xe2\x80\xae", R"("\xe2\x80\xae")", R"(\\xe2\\x80\\xae)"},
};

INSTANTIATE_TEST_SUITE_P(Values, LineValue, testing::ValuesIn(value_cases),
                         [](const auto& each) { return each.param.name; });

TEST(Line, EscapesTextAndNamesToo) {
  EXPECT_EQ(text_line("two\nlines", {{"na\nme", "x"}}), R"(info  two\x0alines na\x0ame=x)");
  EXPECT_EQ(json_line("two\nlines", {{"na\"me", "x"}}),
            R"({"level":"info","text":"two\\x0alines","na\"me":"x"})");
}

TEST(Line, StartsWithTheTimeInUtcAndALevelOfOneWidth) {
  const std::string line(Line(Format::text, Line::Time::present, Level::error, "x", {}).with_end());
  ASSERT_EQ(line.size(), std::string("2026-11-23T09:15:27.123Z error x\n").size());
  EXPECT_EQ(line.substr(24), " error x\n");
  for (std::size_t i = 0; i < 24; ++i) {
    const char shape = "dddd-dd-ddTdd:dd:dd.dddZ"[i];
    EXPECT_TRUE(shape == 'd' ? line[i] >= '0' && line[i] <= '9' : line[i] == shape) << line;
  }
  const std::string json(Line(Format::json, Line::Time::present, Level::warn, "x", {}).with_end());
  EXPECT_EQ(json.substr(0, 9), R"({"time":")");
  EXPECT_EQ(json.substr(33), "\",\"level\":\"warn\",\"text\":\"x\"}\n");
}

TEST(Line, RenamesFieldsThatWouldHideAMemberOfTheJsonObject) {
  EXPECT_EQ(json_line("x", {{"level", "debug"}, {"text", "y"}}),
            R"({"level":"info","text":"x","level_":"debug","text_":"y"})");
}

struct Filling {
  const char* name;
  std::string unit;
};

class LongLine : public testing::TestWithParam<Filling> {};

// Every length around the bound, so that the cut falls on each byte of each escape.
TEST_P(LongLine, IsCutWithAMarkAndStaysWhole) {
  for (std::size_t length = Line::capacity - 200; length < Line::capacity + 200; ++length) {
    std::string value(length / 2, 'a');
    while (value.size() < length) value += GetParam().unit;
    const Line text(Format::text, Line::Time::absent, Level::info, "event",
                    {{"key", value}, {"after", "x y"}});
    const std::string_view line = text.with_end();
    ASSERT_LE(line.size(), Line::capacity);
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    const bool is_cut = line.ends_with(" [cut]\n");
    ASSERT_TRUE(is_cut || line.ends_with(" after=\"x y\"\n")) << line.substr(line.size() - 40);

    const Line json(Format::json, Line::Time::absent, Level::info, "event", {{"key", value}, {"after", "x"}});
    const std::string_view object = json.with_end();
    ASSERT_LE(object.size(), Line::capacity);
    ASSERT_TRUE(object.ends_with("\",\"cut\":true}\n") || object.ends_with("\",\"after\":\"x\"}\n"))
        << object.substr(object.size() - 40);
    // No half escape before the closing quote: backslashes come in pairs.
    const std::size_t close = object.rfind("\",\"");
    std::size_t backslashes = 0;
    while (object[close - 1 - backslashes] == '\\') ++backslashes;
    ASSERT_EQ(backslashes % 2, 0U) << object.substr(close - 10);
  }
}

INSTANTIATE_TEST_SUITE_P(Fillings, LongLine,
                         testing::Values(Filling{"Plain", "b"}, Filling{"Quotes", "\""},
                                         Filling{"Backslashes", "\\"}, Filling{"Control", "\n"},
                                         Filling{"Wide", "\xe2\x82\xac"}, Filling{"Words", "word "}),
                         [](const auto& each) { return each.param.name; });

// The closing quote goes to the bytes kept for the end; what comes after it may not follow it there.
TEST(Line, StaysInItsBoundWhereAQuotedValueFillsItToTheLastByte) {
  const std::string after(200, 'z');
  for (std::size_t length = Line::capacity - 200; length < Line::capacity; ++length) {
    const std::string value = " " + std::string(length, 'a');
    for (const Format format : {Format::text, Format::json}) {
      const Line line(format, Line::Time::absent, Level::info, "event", {{"key", value}, {"after", after}});
      ASSERT_LE(line.with_end().size(), Line::capacity) << length;
      ASSERT_EQ(line.with_end().find('\n'), line.with_end().size() - 1) << length;
    }
  }
}

TEST(Line, HoldsAHugeTextAndManyFields) {
  const std::string huge(1 << 20, 'x');
  EXPECT_TRUE(text_line(huge, {{"a", huge}, {"b", "c"}}).ends_with("x [cut]"));
  EXPECT_TRUE(json_line(huge, {{huge, huge}}).ends_with("x\",\"cut\":true}"));
}

}  // namespace
}  // namespace trivet::log
