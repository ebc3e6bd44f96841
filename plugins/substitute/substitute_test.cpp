#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <trivet/testing.hpp>
#include <vector>

#include "literal.hpp"
#include "pattern.hpp"

namespace {

using Lines = std::vector<std::string>;

struct Rule {
  std::string find = {};
  std::string regex = {};
  std::string with = {};
  bool ignore_case = false;
  bool once = false;
  bool across_lines = false;
};

void set_rules(trivet::FakeHost& host, const std::vector<Rule>& rules) {
  for (std::size_t at = 0; at < rules.size(); ++at) {
    const std::string key = "rules." + std::to_string(at) + ".";
    const Rule& rule = rules[at];
    if (!rule.find.empty()) host.set(key + "find", rule.find);
    if (!rule.regex.empty()) host.set(key + "regex", rule.regex);
    host.set(key + "with", rule.with);
    if (rule.ignore_case) host.set(key + "ignore_case", true);
    if (rule.once) host.set(key + "once", true);
    if (rule.across_lines) host.set(key + "across_lines", true);
  }
}

trivet::Ask html(std::vector<std::string> data) {
  return {.params = {{"REQUEST_METHOD", "GET"}},
          .data = std::move(data),
          .headers = {{"Content-Type", "text/html"}}};
}

struct Example {
  const char* name;
  std::vector<Rule> rules;
  std::string text;
  std::string expected;
};
class Substitute : public testing::TestWithParam<Example> {};

TEST_P(Substitute, ReplacesHoweverTheTextIsCut) {
  trivet::FakeHost host;
  set_rules(host, GetParam().rules);
  ASSERT_TRUE(host.start()) << host.errors().front();
  for (const auto& pieces : trivet::every_cut(GetParam().text)) {
    const trivet::Answer answer = host.filter(html(pieces));
    ASSERT_EQ(answer.result, TRIVET_OK) << answer.failure;
    ASSERT_EQ(answer.body, GetParam().expected);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, Substitute,
    testing::Values(
        Example{"Literal", {{.find = "old", .with = "new"}}, "old olold bold", "new olnew bnew"},
        Example{"LiteralIsNoPattern", {{.find = "a.b*", .with = "\\1"}}, "axb* a.b*", "axb* \\1"},
        Example{"Overlap", {{.find = "aab", .with = "X"}}, "aaab aaaab aab", "aX aaX X"},
        Example{"OverlapOfItself", {{.find = "aa", .with = "b"}}, "aaaaa", "bba"},
        Example{"AnyCase", {{.find = "aBc", .with = "x", .ignore_case = true}}, "ABCabcAbCab", "xxxab"},
        Example{"KeepsTheCaseOfWhatIsNoMatch",
                {{.find = "ABAC", .with = "", .ignore_case = true}},
                "abABaBaC",
                "abAB"},
        Example{"ToNothing", {{.find = "a", .with = ""}}, "aaa", ""},
        Example{"Once", {{.find = "a", .with = "b", .once = true}}, "xaaa", "xbaa"},
        Example{"OncePattern", {{.regex = "a+", .with = "b", .once = true}}, "xaaca\na", "xbca\na"},
        Example{"Groups",
                {{.regex = R"((\d+)-(\d+))", .with = R"(\2/\1 [\0] \\)"}},
                "10-20.",
                R"(20/10 [10-20] \.)"},
        Example{"Greedy", {{.regex = "<.*>", .with = "!"}}, "<a> <b>\n<c>", "!\n!"},
        Example{"Lazy", {{.regex = "<.*?>", .with = "!"}}, "<a> <b>\n<c>", "! !\n!"},
        Example{"LinesOnly", {{.regex = "a[^b]*b", .with = "!"}}, "a\nb ab a \n", "a\nb ! a \n"},
        Example{"AcrossLines", {{.regex = "a[^b]*b", .with = "!", .across_lines = true}}, "a\nb ab", "! !"},
        Example{"BeginOfLine", {{.regex = "^", .with = "> "}}, "a\n\nb\n", "> a\n> \n> b\n> "},
        Example{"EndOfLine", {{.regex = "$", .with = ";"}}, "a\n\nb", "a;\n;\nb;"},
        Example{"BeginOfText", {{.regex = "\\A.", .with = "!"}}, "ab\ncd", "!b\ncd"},
        Example{
            "BeginOfTextAcross", {{.regex = "^.", .with = "!", .across_lines = true}}, "ab\ncd", "!b\ncd"},
        Example{"EndOfText", {{.regex = ".\\z", .with = "!"}}, "ab\ncd", "ab\nc!"},
        Example{"WordBorder",
                {{.regex = R"(\bcat\b)", .with = "dog"}},
                "cat concat cats cat",
                "dog concat cats dog"},
        Example{"Empty", {{.regex = "a*", .with = "-"}}, "baac", "-b-c-"},
        Example{"EmptyOverCharacters",
                {{.regex = "x*", .with = "-"}},
                "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\xFFz",
                "-\xC3\xA4-\xE2\x82\xAC-\xF0\x9F\x98\x80-\xFF-z-"},
        Example{"Unicode",
                {{.regex = "\xC3\x84", .with = "ae", .ignore_case = true}},
                "\xC3\xA4 \xC3\x84",
                "ae ae"},
        Example{"InSequence", {{.find = "a", .with = "b"}, {.find = "b", .with = "c"}}, "ab", "cc"},
        Example{
            "SequenceBuildsAMatch", {{.find = "-", .with = ""}, {.regex = "abc", .with = "!"}}, "a-b-c", "!"},
        Example{"Nothing", {{.find = "a", .with = "b"}}, "", ""}),
    [](const auto& test) { return std::string(test.param.name); });

std::string random_text(std::mt19937& random, std::string_view alphabet, std::size_t most) {
  std::string text;
  for (std::size_t size = random() % (most + 1); size > 0; --size)
    text += alphabet[random() % alphabet.size()];
  return text;
}

std::vector<std::string> random_pieces(std::string_view text, std::mt19937& random) {
  std::vector<std::string> pieces;
  const std::size_t most = 1 + random() % 40;
  while (!text.empty()) {
    const std::size_t size = std::min<std::size_t>(text.size(), 1 + random() % most);
    pieces.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return pieces;
}

RE2::Options options_of(const Rule& rule) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!rule.ignore_case);
  options.set_never_nl(!rule.regex.empty() && !rule.across_lines);
  return options;
}

/// What the README says, over the whole text at once and as slow as it is simple.
std::string whole(const Rule& rule, const std::string& text, std::size_t window) {
  const RE2 re(
      rule.regex.empty() ? RE2::QuoteMeta(rule.find) : (rule.across_lines ? "" : "(?m)") + rule.regex,
      options_of(rule));
  std::array<re2::StringPiece, 10> groups;
  std::string out;
  std::optional<std::size_t> match_ended;
  std::size_t at = 0;
  while (at <= text.size()) {
    const std::size_t end = std::min(text.size(), at + window);
    if (!re.Match(text, at, end, RE2::ANCHOR_START, groups.data(), 10)) {
      if (at < text.size()) out += text[at];
      ++at;
      continue;
    }
    const std::size_t length = groups[0].size();
    if (length == 0 && match_ended == at) {
      // As RE2::GlobalReplace: one character further. In these tests all have one byte.
      if (at < text.size()) out += text[at];
      ++at;
      continue;
    }
    if (rule.regex.empty()) {
      out += rule.with;
    } else {
      re.Rewrite(&out, rule.with, groups.data(), 10);
    }
    at += length;
    match_ended = at;
    if (rule.once) {
      out += text.substr(at);
      break;
    }
  }
  return out;
}

TEST(SubstituteProperty, RandomRulesOverRandomCutsGiveWhatOnePassOverTheWholeGives) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::array<std::string_view, 24> parts = {
      "a", "b", "ab",  "[^a]", "a*",  "b+",      "(a|b)",          "(ab|a)", ".",   ".*", "a{2,3}", "(b?)",
      "^", "$", "\\b", "a*?",  "\\n", "[ab\\n]", "(a|ab)(c|bcd)?", "\\B",    "\\s", "c",  ".*?",    "[^b]*"};
  constexpr std::size_t window = 16;
  int compared = 0;
  for (int round = 0; round < 4000; ++round) {
    std::vector<Rule> rules(1 + random() % 3);
    for (Rule& rule : rules) {
      rule.ignore_case = random() % 4 == 0;
      rule.once = random() % 6 == 0;
      if (random() % 3 == 0) {
        rule.find = random_text(random, "abA\n", 3) + "a";
        rule.with = random_text(random, "abc\\", 3);
      } else {
        for (std::size_t count = 1 + random() % 4; count > 0; --count)
          rule.regex += parts[random() % parts.size()];
        rule.across_lines = random() % 2 == 0;
        rule.with = random() % 2 == 0 ? "<\\0>" : random_text(random, "abc\n", 3);
      }
    }
    trivet::FakeHost host;
    host.set("window", static_cast<std::int64_t>(window));
    set_rules(host, rules);
    ASSERT_TRUE(host.start()) << host.errors().front();
    const std::string text = random_text(random, random() % 2 == 0 ? "aabbc \n" : "aaaaaabbbcA", 200);
    std::string expected = text;
    for (const Rule& rule : rules) {
      expected = whole(rule, expected, rule.regex.empty() ? expected.size() : window);
    }
    const trivet::Answer answer = host.filter(html(random_pieces(text, random)));
    ASSERT_EQ(answer.result, TRIVET_OK) << answer.failure;
    ASSERT_EQ(answer.body, expected) << "rule 1: " << rules[0].find << rules[0].regex << " -> "
                                     << rules[0].with;
    ++compared;
  }
  EXPECT_EQ(compared, 4000);
}

TEST(SubstituteProperty, MatchesWithinTheWindowAreThoseOfGlobalReplace) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::array<std::string_view, 8> patterns = {"a+b", "(a|b)*c", "^.*$", "\\w+",
                                                        "a*",  "b[^b]*b", "$",    "(\\w)(\\w)?"};
  for (int round = 0; round < 500; ++round) {
    Rule rule{
        .regex = std::string(patterns[random() % patterns.size()]), .with = "[\\0]", .across_lines = true};
    const std::string text = random_text(random, "aabbc \n\xC3\xA4\xE2\x82\xAC\xFF", 2000);
    std::string expected = text;
    RE2::GlobalReplace(&expected, RE2(rule.regex, options_of(rule)), rule.with);
    trivet::FakeHost host;
    set_rules(host, {rule});
    ASSERT_EQ(host.filter(html(random_pieces(text, random))).body, expected) << rule.regex;
  }
}

TEST(SubstituteWindow, EndsWhereAMatchMayEnd) {
  for (const std::size_t length : {15U, 16U, 17U, 200U}) {
    trivet::FakeHost host;
    host.set("window", 16);
    set_rules(host, {{.regex = "<[^>]*>", .with = "", .across_lines = true}});
    const std::string tag = "<" + std::string(length - 2, 'x') + ">";
    for (const auto& pieces : trivet::every_cut("a" + tag + "<i>b"))
      ASSERT_EQ(host.filter(html(pieces)).body, length <= 16 ? "ab" : "a" + tag + "b") << length;
  }
}

TEST(SubstituteDelay, HoldsNothingOfALineThatHasEndedAndOfALiteralItsBeginningAlone) {
  trivet::FakeHost host;
  set_rules(host, {{.find = "cat", .with = "dog"}, {.regex = "b.d", .with = "!"}});
  trivet::Ask ask = html({"data: bad cat\n\n", "data: bad ca"});
  ask.ends = trivet::End::complete;
  // Given away after the first piece: what the client that goes then has got.
  ask.cancel_after = 1;
  EXPECT_EQ(host.filter(ask).body, "data: ! dog\n\n");
  trivet::FakeHost literal;
  set_rules(literal, {{.find = "cat", .with = "dog"}});
  ask = html({"a cat, a ca"});
  ask.cancel_after = 1;
  EXPECT_EQ(literal.filter(ask).body, "a dog, a ");
}

/// How much of a text that nothing matches in was fed and not given away yet, at most.
class Held final : public Sink {
 public:
  void write(std::string_view text) override { written_ += text.size(); }
  void check() override { ++checks; }
  std::size_t most_held(Stream& stream, const std::string& piece, int times) {
    std::size_t fed = 0;
    std::size_t most = 0;
    for (int i = 0; i < times; ++i) {
      stream.feed(piece, false, *this);
      fed += piece.size();
      most = std::max(most, fed - written_);
    }
    stream.feed({}, true, *this);
    EXPECT_EQ(fed, written_);
    return most;
  }
  int checks = 0;

 private:
  std::size_t written_ = 0;
};

TEST(SubstituteMemory, OfAPatternIsTwoWindows) {
  constexpr std::size_t window = 4096;
  const Pattern across("a+b", "x", Pattern::Case::matters, Pattern::Reach::across_lines, false, window);
  const Pattern line("a+b", "x", Pattern::Case::matters, Pattern::Reach::one_line, false, window);
  for (const std::size_t size : {1U, 100U, 4096U, 65536U, 1048576U}) {
    const int times = static_cast<int>((4U << 20U) / size / (size == 1 ? 16 : 1));
    PatternStream first(across);
    EXPECT_LE(Held().most_held(first, std::string(size, 'a'), times), 2 * window) << size;
    PatternStream second(line);
    EXPECT_LE(Held().most_held(second, std::string(size, 'a'), times), 2 * window) << size;
    PatternStream third(line);
    EXPECT_EQ(Held().most_held(third, std::string(size - 1, 'a') + "\n", times), 0U) << size;
  }
}

TEST(SubstituteMemory, OfALiteralIsItsBeginning) {
  const Literal rule("aaab", "x", true, false);
  for (const std::size_t size : {1U, 3U, 1048576U}) {
    LiteralStream stream(rule);
    EXPECT_EQ(Held().most_held(stream, std::string(size, 'a'), 100), std::min<std::size_t>(3, size * 100))
        << size;
  }
}

TEST(SubstituteTime, IsSpentOnNothingThatNobodyWaitsFor) {
  const Pattern slow("(a[^b]*b|a)", "x", Pattern::Case::matters, Pattern::Reach::across_lines, false, 4096);
  PatternStream stream(slow);
  Held sink;
  stream.feed(std::string(20000, 'a'), true, sink);
  EXPECT_GE(sink.checks, 300) << "once in 64 searches it asks";
}

TEST(SubstituteTime, IsThatOfTheTextForBytesThatComeOneByOne) {
  trivet::FakeHost host;
  set_rules(host, {{.find = "aaaaaaaaaaab", .with = "x"},
                   {.regex = "a{10}b", .with = "y", .across_lines = true},
                   {.regex = "(x+x+)+y", .with = "z"}});
  const std::string text(300000, 'a');
  std::vector<std::string> bytes;
  bytes.reserve(text.size());
  for (const char c : text) bytes.emplace_back(1, c);
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(host.filter(html(bytes)).body, text);
  const std::string many_x(300000, 'x');
  EXPECT_EQ(host.filter(html({many_x})).body, many_x);
  // A search anew for each byte would take minutes.
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
}

TEST(SubstituteGrowth, IsBoundedForEachPiece) {
  trivet::FakeHost host;
  host.set("max_growth", 100000);
  set_rules(host, {{.find = "a", .with = std::string(1000, 'b')}});
  EXPECT_EQ(host.filter(html({std::string(100, 'a'), std::string(100, 'a')})).body.size(), 200000U);
  const trivet::Answer answer = host.filter(html({std::string(102, 'a')}));
  EXPECT_EQ(answer.result, TRIVET_E_FAILED);
  EXPECT_EQ(answer.failure, "the rules make the text longer by more than max_growth");
  EXPECT_LE(answer.largest_write, 16384U);
}

TEST(SubstituteHead, LosesItsLengthOnlyWhereTheRulesApply) {
  trivet::FakeHost host;
  set_rules(host, {{.find = "a", .with = "b"}});
  struct Case {
    const char* type;
    unsigned status;
    const char* encoding;
    bool applies;
  };
  for (const Case& each : {Case{"text/html", 200, "", true}, Case{"text/html", 404, "", true},
                           Case{"application/json", 200, "identity", true}, Case{"image/png", 200, "", false},
                           Case{"text/html", 206, "", false}, Case{"text/html", 200, "gzip", false}}) {
    trivet::Ask ask = html({"a"});
    ask.status = each.status;
    ask.headers = {{"Content-Type", each.type}, {"Content-Length", "1"}};
    if (*each.encoding != '\0') ask.headers.emplace_back("Content-Encoding", each.encoding);
    const trivet::Answer answer = host.filter(ask);
    EXPECT_EQ(answer.body, each.applies ? "b" : "a") << each.type << each.status << each.encoding;
    EXPECT_EQ(answer.header("Content-Length").has_value(), !each.applies);
    EXPECT_EQ(answer.passed, !each.applies);
  }
}

TEST(SubstituteHead, IsAllThatHeadGets) {
  trivet::FakeHost host;
  set_rules(host, {{.regex = "\\z", .with = "end"}});
  trivet::Ask ask = html({});
  EXPECT_EQ(host.filter(ask).body, "end");
  ask.params["REQUEST_METHOD"] = "HEAD";
  EXPECT_EQ(host.filter(ask).body, "");
}

struct Wrong {
  const char* name;
  Rule rule;
  const char* error;
};
class SubstituteRefuses : public testing::TestWithParam<Wrong> {};

TEST_P(SubstituteRefuses, WhatIsNoRule) {
  trivet::FakeHost host;
  set_rules(host, {GetParam().rule});
  EXPECT_FALSE(host.start());
  EXPECT_EQ(host.errors(), Lines{GetParam().error});
}

INSTANTIATE_TEST_SUITE_P(
    Settings, SubstituteRefuses,
    testing::Values(
        Wrong{"Both", {.find = "a", .regex = "a"}, "rules.0: has to have either find or regex"},
        Wrong{"Neither", {}, "rules.0: has to have either find or regex"},
        Wrong{"Parenthesis", {.regex = "a(b"}, "rules.0.regex: is no regular expression: missing ): a(b"},
        Wrong{"Repeat",
              {.regex = "a**"},
              "rules.0.regex: is no regular expression: bad repetition operator: **"},
        Wrong{"BackReference",
              {.regex = "(a)\\1"},
              "rules.0.regex: is no regular expression: invalid escape sequence: \\1"},
        Wrong{"LookAhead",
              {.regex = "a(?=b)"},
              "rules.0.regex: is no regular expression: invalid perl operator: (?="},
        Wrong{"TooBig",
              {.regex = "((a{100}){100}){100}"},
              "rules.0.regex: is no regular expression: invalid repetition size: {100}"},
        Wrong{"NoSuchGroup",
              {.regex = "(a)", .with = "\\2"},
              "rules.0.with: does not fit: Rewrite schema requests 2 matches, but the regexp only has 1 "
              "parenthesized "
              "subexpressions."},
        Wrong{"LooseBackslash",
              {.regex = "a", .with = "\\n"},
              "rules.0.with: does not fit: Rewrite schema error: '\\' must be followed by a digit or '\\'."},
        Wrong{"AnyByte", {.regex = "a\\C"}, "rules.0.regex: has \\C, which needs across_lines = true"},
        Wrong{"LiteralAcross",
              {.find = "a", .across_lines = true},
              "rules.0.across_lines: is for a regex: find crosses lines anyway"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(SubstituteSettings, HaveBounds) {
  const auto errors = [](const char* key, std::int64_t value) {
    trivet::FakeHost host;
    set_rules(host, std::vector<Rule>(9, {.regex = "a", .with = "b"}));
    host.set(key, value);
    host.start();
    return host.errors();
  };
  EXPECT_EQ(errors("window", 15), Lines{"window: has to be between 16 and 1048576"});
  EXPECT_EQ(errors("window", 1 << 21), Lines{"window: has to be between 16 and 1048576"});
  EXPECT_EQ(errors("window", 1 << 20),
            Lines{"window: is too large for 9 regular expressions: together they may have 8388608 bytes"});
  EXPECT_EQ(errors("max_growth", -1), Lines{"max_growth: has to be between 0 and 1073741824"});
  trivet::FakeHost none;
  none.start();
  EXPECT_EQ(none.errors(), Lines{"rules: is missing"});
  trivet::FakeHost references;
  std::string with;
  for (int i = 0; i < 20000; ++i) with += "\\0";
  set_rules(references, {{.regex = "a", .with = with}});
  references.start();
  EXPECT_EQ(
      references.errors(),
      Lines{"rules.0.with: refers to so many groups that one match could give more than 67108864 bytes"});
}

}  // namespace
