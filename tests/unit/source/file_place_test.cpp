#include "runtime/source/file_place.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace trivet::source {
namespace {

struct PlaceCase {
  std::string_view name;
  std::string_view pattern;
  std::string_view uri;
  std::optional<std::string_view> place;
};

constexpr PlaceCase place_cases[] = {
    {"AFile", "/docs/**", "/docs/a.txt", "a.txt"},
    {"BelowAFolder", "/docs/**", "/docs/a/b/c.txt", "a/b/c.txt"},
    {"AFolder", "/docs/**", "/docs/a/", "a/"},
    {"TheRoot", "/docs/**", "/docs/", "/"},
    {"TheRootWithoutItsSlash", "/docs/**", "/docs", ""},
    {"OfEverything", "/**", "/a/b", "a/b"},
    {"TheRootOfEverything", "/**", "/", "/"},
    {"BehindAStar", "/u/*/pub/**", "/u/ada/pub/x", "x"},
    {"BehindAPartOfASegment", "/v*/**", "/v2/x", "x"},
    {"Decoded", "/**", "/a%20b/%C3%A4", "a b/\xc3\xa4"},
    {"DecodedOnce", "/**", "/a%2541", std::string_view("a%41")},
    {"APlusIsAPlus", "/**", "/a+b", "a+b"},
    {"WithoutItsQuery", "/**", "/a?b/../c", "a"},
    {"AnEmptySegmentIsNoFile", "/**", "/a//b", std::nullopt},
    {"AnEmptySegmentAtTheBegin", "/**", "//etc/passwd", std::nullopt},
    {"AnEmptySegmentAfterThePattern", "/docs/**", "/docs//etc/passwd", std::nullopt},
    {"TwoSlashesAtTheEnd", "/**", "/a//", std::nullopt},
    {"AnEncodedSlashIsNoFolder", "/**", "/a%2Fb", std::nullopt},
    {"AnEncodedSlashAlone", "/**", "/%2F", std::nullopt},
    {"AHiddenFile", "/**", "/.htpasswd", std::nullopt},
    {"AHiddenFileBelow", "/**", "/a/.git/config", std::nullopt},
    {"AHiddenFolder", "/**", "/.git/", std::nullopt},
    {"WhatIsRegisteredIsNotHidden", "/**", "/.well-known/acme-challenge/x", ".well-known/acme-challenge/x"},
    {"AHiddenFileBelowWhatIsRegistered", "/**", "/.well-known/.x", std::nullopt},
    {"ThreeDotsAreHidden", "/**", "/...", std::nullopt},
    {"AnotherRoutesPath", "/docs/**", "/private/a", std::nullopt},
    {"AnotherCase", "/docs/**", "/DOCS/a", std::nullopt},
    {"ALongerName", "/docs/**", "/docs2/a", std::nullopt},
    {"TheOneFile", "/robots.txt", "/robots.txt", ""},
    {"NotTheOneFile", "/robots.txt", "/robots.txt/", std::nullopt},
    {"NotTheOneFileEither", "/robots.txt", "/x", std::nullopt},
};

config::Route route(std::string_view path, bool serve_hidden = false) {
  config::Route route;
  route.path = path;
  route.files.emplace();
  route.files->root = "/srv";
  route.files->one_file = path.find('*') == std::string_view::npos;
  route.files->serve_hidden = serve_hidden;
  return route;
}

class FilePlaceOf : public testing::TestWithParam<PlaceCase> {};

TEST_P(FilePlaceOf, APath) {
  cgi::RequestPath path;
  ASSERT_EQ(path.parse(GetParam().uri, cgi::RequestPath::Form::uri), "");
  std::string place = "before";
  const bool found = FilePlace(route(GetParam().pattern)).find(&path, place);
  EXPECT_EQ(found, GetParam().place.has_value());
  if (found) {
    EXPECT_EQ(place, *GetParam().place);
  }
}
INSTANTIATE_TEST_SUITE_P(Paths, FilePlaceOf, testing::ValuesIn(place_cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(FilePlace, WithoutAPathIsNowhere) {
  std::string place;
  EXPECT_FALSE(FilePlace(route("/**")).find(nullptr, place));
  EXPECT_FALSE(FilePlace(route("/robots.txt")).find(nullptr, place));
}

TEST(FilePlace, MayBeHiddenWhereTheRouteSaysSo) {
  cgi::RequestPath path;
  std::string place;
  ASSERT_EQ(path.parse("/.a/.b", cgi::RequestPath::Form::uri), "");
  EXPECT_TRUE(FilePlace(route("/**", true)).find(&path, place));
  EXPECT_EQ(place, ".a/.b");
}

}  // namespace
}  // namespace trivet::source
