#include "runtime/host/json.hpp"

#include <gtest/gtest.h>

namespace trivet::host {
namespace {

struct TextCase {
  std::string_view name;
  std::string_view text;
  std::string_view expected;
};

constexpr TextCase text_cases[] = {
    {"PlainTextIsItself", "a b/c", R"("a b/c")"},
    {"AQuoteGetsABackslash", R"(a"b)", R"("a\"b")"},
    {"ABackslashGetsAnother", R"(a\b)", R"("a\\b")"},
    {"ALineEndIsEscaped", "a\nb\r", R"("a\u000ab\u000d")"},
    {"ATabIsEscaped", "\t", R"("\u0009")"},
    {"AZeroIsEscaped", {"a\0b", 3}, R"("a\u0000b")"},
    {"AnEscapeCharacterIsEscaped", "\x1b[31m", R"("\u001b[31m")"},
    {"DeleteIsEscaped", "\x7f", R"("\u007f")"},
    {"OtherAlphabetsAreThemselves", "\xc3\xa4\xe6\x97\xa5", "\"\xc3\xa4\xe6\x97\xa5\""},
    {"AMarkThatTurnsTheDirectionIsEscaped", "\xe2\x80\xae", R"("\u202e")"},
    {"ByteThatIsNoUtf8IsReplaced", "a\xff", R"("a\ufffd")"},
    {"CutCharacterIsReplaced", "\xe6\x97", R"("\ufffd\ufffd")"},
    {"OverlongQuoteIsReplaced", "\xc0\xa2", R"("\ufffd\ufffd")"},
};

class JsonTexts : public testing::TestWithParam<TextCase> {};

TEST_P(JsonTexts, AreEscaped) {
  JsonWriter json;
  json.value(GetParam().text);
  EXPECT_EQ(json.take(), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Texts, JsonTexts, testing::ValuesIn(text_cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(JsonWriters, PutCommasWhereTheyBelong) {
  JsonWriter json;
  json.begin_object();
  json.member("list {", 18446744073709551615U);
  json.key("b[");
  json.begin_list();
  json.begin_object();
  json.end_object();
  json.value("x:");
  json.null();
  json.begin_list();
  json.end_list();
  json.end_list();
  json.member("c", ",");
  json.end_object();
  EXPECT_EQ(json.take(), R"({"list {":18446744073709551615,"b[":[{},"x:",null,[]],"c":","})");
}

TEST(JsonWriters, EscapeNamesLikeTexts) {
  JsonWriter json;
  json.begin_object();
  json.member("a\"\n", "");
  json.end_object();
  EXPECT_EQ(json.take(), R"({"a\"\u000a":""})");
}

}  // namespace
}  // namespace trivet::host
