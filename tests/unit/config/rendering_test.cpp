#include <gtest/gtest.h>

#include "runtime/config/load.hpp"

namespace trivet::config {
namespace {

Diagnostic at(std::uint32_t line, std::uint32_t column, std::uint32_t end, std::string hint = {}) {
  return {Diagnostic::Severity::error, {"f.toml", line, column}, end, "wrong", std::move(hint)};
}

struct RenderCase {
  std::string_view name;
  std::string_view text;
  std::uint32_t line;
  std::uint32_t column;
  std::uint32_t end;
  std::string_view excerpt;  ///< The two lines under the message.
};

constexpr RenderCase render_cases[] = {
    {"Plain", "a = 1\nbc = 2\n", 2, 1, 3, "    2 | bc = 2\n      | ^^\n"},
    {"LastLineWithoutEnd", "a = 1\nbc = 2", 2, 6, 7, "    2 | bc = 2\n      |      ^\n"},
    {"UnknownEnd", "abc", 1, 2, 0, "    1 | abc\n      |  ^\n"},
    {"EndOfLine", "abc\n", 1, 4, 4, "    1 | abc\n      |    ^\n"},
    {"EmptyLine", "\n\n", 2, 1, 1, "    2 | \n      | ^\n"},
    {"BehindTheText", "a\n", 9, 1, 1, "    9 | \n      | ^\n"},
    {"CarriageReturn", "ab\r\ncd\r\n", 2, 2, 3, "    2 | cd\n      |  ^\n"},
    {"ByteOrderMark", "\xef\xbb\xbfxy\n", 1, 2, 3, "    1 | xy\n      |  ^\n"},
    {"TabsBefore", "\ta\t= b\n", 1, 6, 7, "    1 | \ta\t= b\n      | \t \t  ^\n"},
    {"TabWithin", "a = \"b\tc\" # d\n", 1, 5, 10, "    1 | a = \"b\tc\" # d\n      |     ^^\t^^\n"},
    {"WideBefore", "文字 = 1\n", 1, 6, 7, "    1 | 文字 = 1\n      |        ^\n"},
    {"WideWithin", "a = \"文\"\n", 1, 5, 8, "    1 | a = \"文\"\n      |     ^^^^\n"},
    {"NarrowNotAscii", "ü = \"ü\"\n", 1, 5, 8, "    1 | ü = \"ü\"\n      |     ^^^\n"},
    {"CombiningMark", "e\xcc\x81 = 1\n", 1, 6, 7, "    1 | e\xcc\x81 = 1\n      |     ^\n"},
    {"ControlsAreShown", "a\x1b[0m = 1\n", 1, 9, 10, "    1 | a\\x1b[0m = 1\n      |            ^\n"},
    {"WritingDirectionIsShown", "a\xe2\x80\xae=1\n", 1, 4, 5, "    1 | a\\u202e=1\n      |         ^\n"},
    {"NotUtf8", "a\xff\n", 1, 2, 3, "    1 | a\\xff\n      |  ^^^^\n"},
    {"RunEndsWithTheLine", "abc\nd\n", 1, 2, 90, "    1 | abc\n      |  ^^\n"},
};

class Rendering : public testing::TestWithParam<RenderCase> {};

TEST_P(Rendering, PutsTheCaretsUnderTheWord) {
  const RenderCase& param = GetParam();
  EXPECT_EQ(render(at(param.line, param.column, param.end), param.text),
            "f.toml:" + std::to_string(param.line) + ":" + std::to_string(param.column) + ": error: wrong\n" +
                std::string(param.excerpt));
}

INSTANTIATE_TEST_SUITE_P(Cases, Rendering, testing::ValuesIn(render_cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(RenderingOf, AHintStandsBehindTheCarets) {
  EXPECT_EQ(render(at(1, 1, 3, "did you mean x?"), "ab = 1\n"),
            "f.toml:1:1: error: wrong\n    1 | ab = 1\n      | ^^ did you mean x?\n");
}

TEST(RenderingOf, AWarningSaysSo) {
  Diagnostic warning = at(1, 1, 2);
  warning.severity = Diagnostic::Severity::warning;
  EXPECT_EQ(render(warning, "a\n"), "f.toml:1:1: warning: wrong\n    1 | a\n      | ^\n");
}

TEST(RenderingOf, AWholeFileHasNoExcerpt) {
  EXPECT_EQ(render(at(0, 0, 0, "cure"), "a\n"), "f.toml: error: wrong\n      = cure\n");
  EXPECT_EQ(render(at(0, 0, 0), "a\n"), "f.toml: error: wrong\n");
}

TEST(RenderingOf, APlaceInATextThatIsNotThereHasNoExcerpt) {
  EXPECT_EQ(render(at(3, 4, 5, "cure"), ""), "f.toml:3:4: error: wrong\n      = cure\n");
}

TEST(RenderingOf, LargeLineNumbersWidenTheMargin) {
  const std::string text = std::string(1'234'566, '\n') + "ab";
  EXPECT_EQ(render(at(1'234'567, 1, 2), text), "f.toml:1234567:1: error: wrong\n1234567 | ab\n        | ^\n");
  const std::string shorter = std::string(12'344, '\n') + "ab";
  EXPECT_EQ(render(at(12'345, 1, 2), shorter), "f.toml:12345:1: error: wrong\n12345 | ab\n      | ^\n");
}

TEST(RenderingOf, LongLinesAreCutAroundTheCaret) {
  const std::string text = std::string(1000, 'a') + "bc" + std::string(1000, 'd');
  const std::string told = render(at(1, 1001, 1003), text);
  EXPECT_EQ(told, "f.toml:1:1001: error: wrong\n    1 | ..." + std::string(60, 'a') + "bc" +
                      std::string(58, 'd') + "...\n      | " + std::string(63, ' ') + "^^\n");
}

TEST(RenderingOf, LongLinesAreCutBehindACaretNearTheirStart) {
  const std::string told = render(at(1, 1, 2000), std::string(3000, 'a'));
  EXPECT_EQ(told, "f.toml:1:1: error: wrong\n    1 | " + std::string(120, 'a') + "...\n      | " +
                      std::string(120, '^') + "\n");
}

TEST(RenderingOf, AllEndsWithACount) {
  Loaded loaded;
  EXPECT_EQ(render_all(loaded), "0 errors, 0 warnings\n");
  loaded.text = "a\nb\nc\n";
  loaded.diagnostics = {at(1, 1, 2), at(3, 1, 2), at(2, 1, 2)};  // Also where they are not in order.
  loaded.diagnostics[1].severity = Diagnostic::Severity::warning;
  EXPECT_EQ(render_all(loaded),
            "f.toml:1:1: error: wrong\n    1 | a\n      | ^\n"
            "f.toml:3:1: warning: wrong\n    3 | c\n      | ^\n"
            "f.toml:2:1: error: wrong\n    2 | b\n      | ^\n"
            "2 errors, 1 warning\n");
}

}  // namespace
}  // namespace trivet::config
