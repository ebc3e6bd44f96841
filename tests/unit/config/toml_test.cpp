#include <gtest/gtest.h>

#include "runtime/config/parse.hpp"

namespace trivet::config {
namespace {

const Node* find(const Table& table, std::string_view key) {
  for (const Entry& each : table) {
    if (each.key == key) return &each.value;
  }
  return nullptr;
}

TEST(Toml, KeysComeInFileOrderWithTheirPlace) {
  Sink sink("t.toml");
  const auto table = parse_toml("z = 1\na = \"\xc3\xbc\xe6\x96\x87\" # c\n\tm = [1, true]\n", sink);
  ASSERT_TRUE(table);
  ASSERT_EQ(table->size(), 3U);
  EXPECT_EQ((*table)[0].key, "z");
  EXPECT_EQ((*table)[1].key, "a");
  EXPECT_EQ((*table)[2].key, "m");
  EXPECT_EQ((*table)[1].value.span.line, 2U);
  EXPECT_EQ((*table)[1].value.span.column, 5U);
  EXPECT_EQ((*table)[1].value.span.end_column, 9U);  // Code points, not bytes.
  EXPECT_EQ((*table)[2].key_span.column, 2U);
  const List& list = *(*table)[2].value.list();
  EXPECT_EQ(list[1].span.column, 10U);
  EXPECT_EQ(list[1].span.end_column, 14U);
}

TEST(Toml, EveryKindOfValueArrives) {
  Sink sink("t.toml");
  const auto table = parse_toml(
      "t = 'x'\ni = -5\nh = 0xff\nn = 1.5\nb = false\nd = 1979-05-27\nl = [[1], []]\no = { p.q = 1 }\n",
      sink);
  ASSERT_TRUE(table);
  EXPECT_EQ(*find(*table, "t")->text(), "x");
  EXPECT_EQ(std::get<std::int64_t>(find(*table, "i")->value), -5);
  EXPECT_EQ(std::get<std::int64_t>(find(*table, "h")->value), 255);
  EXPECT_EQ(std::get<double>(find(*table, "n")->value), 1.5);
  EXPECT_FALSE(std::get<bool>(find(*table, "b")->value));
  EXPECT_TRUE(std::holds_alternative<Date>(find(*table, "d")->value));
  EXPECT_EQ(find(*table, "l")->list()->size(), 2U);
  const Table& inner = *find(*find(*table, "o")->table(), "p")->table();
  EXPECT_EQ(std::get<std::int64_t>(find(inner, "q")->value), 1);
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t count = 0; count < times; ++count) result += text;
  return result;
}

std::string first_error(const std::string& text) {
  Sink sink("t.toml");
  const auto table = parse_toml(text, sink);
  const auto told = sink.take();
  if (told.empty()) return table ? "" : "nothing told";
  return std::to_string(told[0].place.line) + ":" + std::to_string(told[0].place.column) + " " +
         told[0].message;
}

TEST(Toml, DeepKeysAreRefusedBeforeTheStackEnds) {
  EXPECT_EQ(first_error(repeated("a.", 15) + "a = 1"), "");
  EXPECT_EQ(first_error(repeated("a.", 16) + "a = 1"), "1:32 a key of more than 16 parts");
  EXPECT_EQ(first_error("x = 1\n[" + repeated("a.", 200'000) + "a]"), "2:33 a key of more than 16 parts");
  EXPECT_EQ(first_error("x = { " + repeated("\"b\" . ", 16) + "a = 1}"), "1:101 a key of more than 16 parts");
}

TEST(Toml, DotsInStringsNumbersAndCommentsAreNoKeys) {
  const std::string dots = repeated(".", 100);
  EXPECT_EQ(first_error("a = \"" + dots + "\\\"" + dots + "\" # " + dots + "\nb = '" + dots + "\\'\n"), "");
  EXPECT_EQ(first_error("a = \"\"\"\n" + dots + "\n\"\" " + dots + "\"\"\"\"\"\nb = '''" + dots + "\n'" +
                        dots + "'''\n"),
            "");
  EXPECT_EQ(first_error("a = [" + repeated("1.5, ", 100) + "]\n" + repeated("", 1)), "");
}

TEST(Toml, DeepValuesAreRefused) {
  EXPECT_EQ(first_error("a = " + repeated("[", 63) + repeated("]", 63)), "");
  EXPECT_EQ(first_error("a = " + repeated("[", 65) + repeated("]", 65)),
            "1:69 nested more than 64 levels deep");
  EXPECT_NE(first_error("a = " + repeated("[", 100'000)), "");
  const std::string deep_keys = repeated("{ " + repeated("a.", 15) + "a = ", 200) + "1" + repeated("}", 200);
  EXPECT_NE(first_error("a = " + deep_keys), "");
}

TEST(Toml, ABrokenTextCutAnywhereIsToldOrRead) {
  const std::string text =
      "\xef\xbb\xbf[server]\r\na.b = \"x\\\"y\" # \xc3\xbc\r\nc = '''\n'''''\nd = "
      "\"\"\"\\\n\"\"\"\"\"\n[[l]]\ne = { f = [1.5, 2] }\n";
  ASSERT_EQ(first_error(text), "");
  for (std::size_t cut = 0; cut < text.size(); ++cut)
    EXPECT_NE(first_error(text.substr(0, cut)), "nothing told") << cut;
}

}  // namespace
}  // namespace trivet::config
