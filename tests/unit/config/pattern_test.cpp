#include "runtime/config/pattern.hpp"

#include <gtest/gtest.h>

namespace trivet::config {
namespace {

TEST(Pattern, WildcardsStandInASegmentOrForSegments) {
  for (const std::string_view pattern :
       {"/", "/**", "/docs", "/docs/", "/docs/**", "/docs/*.md", "/**/*.md", "/a/**/b/**", "/*/x*y*z/**",
        "/ü/文", "/...", "/.well-known/**", "/100%", "/%zz", "/a..b", "/..a", "/a b", "/a;.", "/[x]"}) {
    EXPECT_FALSE(find_pattern_problem(pattern)) << pattern;
  }
}

struct RefusedPattern {
  std::string_view pattern;
  std::string_view message;
};

constexpr RefusedPattern refused_patterns[] = {
    {"", "does not start with /"},
    {"docs", "does not start with /"},
    {"**", "does not start with /"},
    {"/a?b", "holds a `?`"},
    {"/a%2Fb", "holds a percent escape"},
    {"/%41", "holds a percent escape"},
    {"/a/../b", "holds the dot segment \"..\""},
    {"/.", "holds the dot segment \".\""},
    {"/a/..", "holds the dot segment \"..\""},
    {"/..;x/b", "holds the dot segment \"..;x\""},
    {"/a**", "holds `**` beside other characters"},
    {"/**.md", "holds `**` beside other characters"},
    {"/***", "holds `**` beside other characters"},
    {"/a//b", "holds an empty segment"},
    {"//", "holds an empty segment"},
    {"/a\\b", "holds a backslash"},
};

TEST(Pattern, WhatCouldNeverMatchIsRefused) {
  for (const RefusedPattern& each : refused_patterns) {
    const auto problem = find_pattern_problem(each.pattern);
    ASSERT_TRUE(problem) << each.pattern;
    EXPECT_EQ(problem->message, each.message) << each.pattern;
  }
}

TEST(Pattern, IsCutIntoSegments) {
  using Segments = std::vector<std::string_view>;
  EXPECT_EQ(split_pattern("/"), (Segments{""}));
  EXPECT_EQ(split_pattern("/a"), (Segments{"a"}));
  EXPECT_EQ(split_pattern("/a/"), (Segments{"a", ""}));
  EXPECT_EQ(split_pattern("/a/**/c"), (Segments{"a", "**", "c"}));
}

struct CoverCase {
  std::string_view wide;
  std::string_view narrow;
  bool covers;
};

constexpr CoverCase cover_cases[] = {
    {"/**", "/", true},
    {"/**", "/a/b/**", true},
    {"/a/**", "/a", true},
    {"/a/**", "/a/", true},
    {"/a/**", "/a/*/c", true},
    {"/a/**", "/a/**", true},
    {"/a/**", "/ab", false},
    {"/a/**", "/**", false},
    {"/a/**", "/*/b", false},
    {"/a", "/a", true},
    {"/a", "/a/", false},
    {"/a", "/a/**", false},
    {"/*", "/a", true},
    {"/*", "/**", false},
    {"/*", "/a*b", true},
    {"/a*", "/a*b", true},
    {"/a*b", "/a*", false},
    {"/*.md", "/x.md", true},
    {"/*.md", "/*x.md", true},
    {"/*.md", "/x.mdx", false},
    {"/a*b*c", "/axbxbc", true},
    {"/a*b*c", "/acb", false},
    {"/**/c", "/a/b/c", true},
    {"/**/c", "/**/b/c", true},
    {"/**/c", "/a/c/b", false},
    {"/a/**/c/**", "/a/c", true},
    {"/a/**/c/**", "/a/b/c/d/e", true},
    {"/a/**/c/**", "/a/b/d", false},
    {"/*/**", "/a", true},
};

TEST(Pattern, CoversWhatMatchesNothingElse) {
  for (const CoverCase& each : cover_cases) {
    EXPECT_EQ(covers(split_pattern(each.wide), split_pattern(each.narrow)), each.covers)
        << each.wide << " over " << each.narrow;
  }
}

}  // namespace
}  // namespace trivet::config
