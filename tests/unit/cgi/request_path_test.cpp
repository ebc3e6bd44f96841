#include "runtime/cgi/request_path.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace trivet::cgi {
namespace {

using Form = RequestPath::Form;
using Segments = std::vector<std::string_view>;

struct Good {
  std::string_view text;
  Segments segments;
  bool odd = false;
  Form form = Form::uri;
};

class Accepted : public testing::TestWithParam<Good> {};

TEST_P(Accepted, GivesItsSegmentsDecodedOnce) {
  RequestPath path;
  EXPECT_EQ(path.parse(GetParam().text, GetParam().form), "") << GetParam().text;
  EXPECT_EQ(path.segments(), GetParam().segments) << GetParam().text;
  EXPECT_EQ(path.odd(), GetParam().odd) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Accepted,
    testing::Values(Good{"/", {""}}, Good{"/a", {"a"}}, Good{"/a/b", {"a", "b"}}, Good{"/a/", {"a", ""}},
                    Good{"/a%2Fb", {"a/b"}}, Good{"/a%20b", {"a b"}}, Good{"/a b", {"a b"}},
                    Good{"/%61", {"a"}}, Good{"/a?b=/../c", {"a"}}, Good{"/a#frag", {"a"}},
                    Good{"/a%3Fb", {"a?b"}}, Good{"/a%23b", {"a#b"}}, Good{"/a%25b", {"a%b"}},
                    Good{"/a;x=1/b", {"a;x=1", "b"}}, Good{"/...", {"..."}}, Good{"/.a", {".a"}},
                    Good{"/a.", {"a."}}, Good{"/..a", {"..a"}}, Good{"/a..", {"a.."}},
                    Good{"/.well-known/x", {".well-known", "x"}}, Good{"/%c3%a4", {"\xc3\xa4"}},
                    Good{"/\xc3\xa4", {"\xc3\xa4"}}, Good{"http://host/a/b", {"a", "b"}},
                    Good{"http://host", {""}}, Good{"https://u@h:1/a?x", {"a"}}, Good{"//a", {"", "a"}, true},
                    Good{"/a//b", {"a", "", "b"}, true}, Good{"/a//", {"a", "", ""}, true},
                    Good{"/%ff", {"\xff"}, true}, Good{"/\xc3/\xa4", {"\xc3", "\xa4"}, true},
                    Good{"/\xc0/\xae", {"\xc0", "\xae"}, true}, Good{"/a%2F.b%2F...", {"a/.b/..."}},
                    Good{"/a%2541", {"a%41"}}, Good{"/a%20b", {"a%20b"}, false, Form::decoded},
                    Good{"/a?b", {"a?b"}, false, Form::decoded},
                    Good{"/100%", {"100%"}, false, Form::decoded}));

struct Bad {
  std::string_view text;
  Form form = Form::uri;
};

class Refused : public testing::TestWithParam<Bad> {};

TEST_P(Refused, IsNeverMatched) {
  RequestPath path;
  EXPECT_NE(path.parse(GetParam().text, GetParam().form), "") << GetParam().text;
}

constexpr std::string_view with_nul("/a\0b", 4);

INSTANTIATE_TEST_SUITE_P(
    Table, Refused,
    testing::Values(Bad{""}, Bad{"a"}, Bad{"*"}, Bad{"host:80"}, Bad{"?a"}, Bad{"/."}, Bad{"/.."},
                    Bad{"/a/.."}, Bad{"/a/../b"}, Bad{"/a/./b"}, Bad{"/%2e"}, Bad{"/%2e%2e/a"},
                    Bad{"/%2E./a"}, Bad{"/.%2e/a"}, Bad{"/..;/a"}, Bad{"/..;x=1"}, Bad{"/.;/a"},
                    Bad{"/%2e%2e;a=b/c"}, Bad{"/..%3bx"}, Bad{"/%252e%252e/a"}, Bad{"/%252E"},
                    Bad{"/.%252e/a"}, Bad{"/..%253b"}, Bad{"/%25252e%25252e/a"}, Bad{"/%25%32%65./a"},
                    Bad{"/..%2fa"}, Bad{"/a%2f.."}, Bad{"/a%2F%2e%2F"}, Bad{"/a/..%252fb"}, Bad{"/..%255cb"},
                    Bad{"/%25c0%25ae"}, Bad{"/%c0%ae%c0%ae/a"}, Bad{"/%c0%af"}, Bad{"/a%c0%afb"},
                    Bad{"/%e0%80%ae"}, Bad{"/%f0%80%80%ae"}, Bad{"/%c1%9c"}, Bad{"/\xc0\xae"}, Bad{"/a\\b"},
                    Bad{"/a%5cb"}, Bad{"/a%5C..%5Cb"}, Bad{"/%00"}, Bad{with_nul}, Bad{"/a%0a"},
                    Bad{"/a%0d%0a"}, Bad{"/a%09b"}, Bad{"/a\tb"}, Bad{"/a%7f"}, Bad{"/a%1b"}, Bad{"/a%"},
                    Bad{"/a%2"}, Bad{"/a%zz"}, Bad{"/a%%41"}, Bad{"/a/..", Form::decoded},
                    Bad{"/a/%2e%2e", Form::decoded}, Bad{"/%2%65./a", Form::decoded}, Bad{"/%252%2565./a"},
                    Bad{"a", Form::decoded}, Bad{"/a\\b", Form::decoded}, Bad{"/a\nb", Form::decoded},
                    Bad{"http:///../a"}, Bad{"http://h/../a"}));

struct Pattern {
  std::string_view pattern;
  std::string_view path;
  bool matches;
};

class Patterns : public testing::TestWithParam<Pattern> {};

TEST_P(Patterns, MatchBySegments) {
  RequestPath path;
  ASSERT_EQ(path.parse(GetParam().path, Form::uri), "");
  EXPECT_EQ(PathPattern(GetParam().pattern).matches(path), GetParam().matches)
      << GetParam().pattern << " " << GetParam().path;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Patterns,
    testing::Values(Pattern{"/", "/", true}, Pattern{"/", "/a", false}, Pattern{"/a", "/a", true},
                    Pattern{"/a", "/a/", false}, Pattern{"/a", "/A", false}, Pattern{"/a/**", "/a", true},
                    Pattern{"/a/**", "/a/", true}, Pattern{"/a/**", "/a/b/c", true},
                    Pattern{"/a/**", "/ab", false}, Pattern{"/a/**", "/a%2Fb", false},
                    Pattern{"/**", "/", true}, Pattern{"/**", "/x/y", true}, Pattern{"/*", "/x", true},
                    Pattern{"/*", "/x/y", false}, Pattern{"/*.md", "/x.md", true},
                    Pattern{"/*.md", "/x.mdx", false}, Pattern{"/*.md", "/a%2Fb.md", true},
                    Pattern{"/a*b*c", "/aXbYc", true}, Pattern{"/a*b*c", "/abc", true},
                    Pattern{"/a*b*c", "/acb", false}, Pattern{"/**/x", "/x", true},
                    Pattern{"/**/x", "/a/b/x", true}, Pattern{"/**/x", "/a/b/y", false},
                    Pattern{"/a/**/z", "/a/z", true}, Pattern{"/a/**/z", "/a/b/c/z", true},
                    Pattern{"/a/**/z", "/a/b/c", false}));

/// The same by trying everything: slow and plainly right.
bool slow_segment(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*') {
    for (std::size_t n = 0; n <= text.size(); ++n) {
      if (slow_segment(pattern.substr(1), text.substr(n))) return true;
    }
    return false;
  }
  return !text.empty() && text.front() == pattern.front() && slow_segment(pattern.substr(1), text.substr(1));
}

bool slow_match(const std::vector<std::string>& pattern, std::size_t p, const Segments& segments,
                std::size_t s) {
  if (p == pattern.size()) return s == segments.size();
  if (pattern[p] == "**") {
    for (std::size_t n = s; n <= segments.size(); ++n) {
      if (slow_match(pattern, p + 1, segments, n)) return true;
    }
    return false;
  }
  return s < segments.size() && slow_segment(pattern[p], segments[s]) &&
         slow_match(pattern, p + 1, segments, s + 1);
}

TEST(PathPattern, MatchesAsTheSlowWayDoes) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  const auto pick = [&](std::initializer_list<const char*> from) {
    return std::string(from.begin()[random() % from.size()]);
  };
  for (int i = 0; i < 20000; ++i) {
    std::vector<std::string> pattern;
    std::string pattern_text;
    for (std::size_t n = 1 + random() % 5; n > 0; --n) {
      pattern.push_back(pick({"a", "b", "*", "a*", "*b", "a*b", "**", "*a*", ""}));
      pattern_text += "/" + pattern.back();
    }
    std::string text;
    for (std::size_t n = 1 + random() % 5; n > 0; --n)
      text += "/" + pick({"a", "b", "ab", "aab", "ba", "abab", ""});
    RequestPath path;
    ASSERT_EQ(path.parse(text, Form::decoded), "");
    ASSERT_EQ(PathPattern(pattern_text).matches(path), slow_match(pattern, 0, path.segments(), 0))
        << "seed " << seed << ": " << pattern_text << " " << text;
  }
}

struct SpellingCase {
  std::string_view target;
  std::string_view path;
  bool spelled;
};

TEST(RequestPath, KnowsItsOwnSpellingAndNoOther) {
  const SpellingCase cases[] = {
      {"/a/b.php", "/a/b.php", true},
      {"/a/b?x=/a", "/a/b", true},
      {"/a/b#f", "/a/b", true},
      {"/", "/", true},
      {"/a/", "/a/", true},
      {"/a//b", "/a//b", true},
      {"/a/b", "/a", false},
      {"/a?b", "/a?b", false},
      {"/a", "/a/", false},
      {"/a%62", "/a%62", false},
      {"/%61", "/a", false},
      {"http://h/a", "/a", false},
      {"/\xc3\xa4", "/\xc3\xa4", false},
      {"/a", "/b", false},
      {"/a", "", false},
  };
  for (const SpellingCase& each : cases) {
    RequestPath path;
    ASSERT_EQ(path.parse(each.target, Form::uri), "") << each.target;
    for (std::size_t cut = 0; cut <= each.path.size(); ++cut) {
      EXPECT_EQ(path.is_spelling_of(each.target, each.path.substr(0, cut), each.path.substr(cut)),
                each.spelled)
          << each.target << " and " << each.path << " cut at " << cut;
    }
    if (!each.spelled) continue;
    RequestPath other;
    EXPECT_EQ(other.parse(each.path, Form::decoded), "") << each.path;
    EXPECT_TRUE(path.same(other) && path.odd() == other.odd()) << each.path;
  }
}

TEST(RequestPath, IsRefusedForWhatASegmentBeginsWithAlsoAmongPlainOnes) {
  RequestPath path;
  for (const std::string_view text :
       {"/a/./b", "/a/..", "/..", "/.;x/a", "/a/..;x", "/a\\..", "/a\\b", "/a\x01", "/a\tb"}) {
    EXPECT_NE(path.parse(text, Form::decoded), "") << text;
    EXPECT_NE(path.parse(text, Form::uri), "") << text;
  }
  for (const std::string_view text : {"/a.b", "/a..", "/a;.", "/.a", "/...", "/a/.b"}) {
    EXPECT_EQ(path.parse(text, Form::decoded), "") << text;
  }
}

TEST(RequestPath, NothingThatIsAcceptedHoldsADotSegmentOrAControlByte) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  constexpr std::string_view pieces[] = {"/",   ".",   "..",     "%2e",      "%2E", ";",   "%3b",
                                         "a",   "%25", "2e",     "%2f",      "//",  "%5c", "\\",
                                         "%00", "%0a", "%c0%ae", "\xc0\xae", "?",   "%",   "%252e"};
  for (int i = 0; i < 50000; ++i) {
    std::string text = "/";
    for (std::size_t n = random() % 8; n > 0; --n) text += pieces[random() % std::size(pieces)];
    RequestPath path;
    if (!path.parse(text, Form::uri).empty()) continue;
    for (const std::string_view segment : path.segments()) {
      const std::string_view bare = segment.substr(0, segment.find(';'));
      ASSERT_TRUE(bare != "." && bare != "..") << "seed " << seed << ": " << text;
      ASSERT_EQ(segment.find_first_of(std::string_view("\\\0\n", 3)), std::string_view::npos)
          << "seed " << seed << ": " << text;
    }
  }
}

}  // namespace
}  // namespace trivet::cgi
