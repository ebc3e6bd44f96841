#include "runtime/source/folder_location.hpp"

#include <gtest/gtest.h>

namespace trivet::source {
namespace {

struct LocationCase {
  std::string_view name;
  std::string uri;      ///< REQUEST_URI
  std::string matched;  ///< Decoded.
  std::string location;
  std::string query = {};  ///< QUERY_STRING
};

const LocationCase location_cases[] = {
    {"APath", "/docs", "/docs", "/docs/"},
    {"WithItsQuery", "/docs?a=b&c=%20", "/docs", "/docs/?a=b&c=%20"},
    {"WithoutItsFragment", "/docs?a#b", "/docs", "/docs/?a"},
    {"AnEmptyQueryGoes", "/docs?", "/docs", "/docs/"},
    {"EscapedAgain", "/a%20b/%C3%A4", "/a b/\xc3\xa4", "/a%20b/%C3%A4/"},
    {"WhatNeedsNoEscapeHasNone", "/%41%7e;x:@", "/A~;x:@", "/A~;x:@/"},
    {"APercentSign", "/100%25", "/100%", "/100%25/"},
    {"AnEncodedSlashStaysOne", "/a%2Fb", "/x", "/a%2Fb/"},
    {"AQuestionMark", "/a%3Fb", "/a?b", "/a%3Fb/"},
    {"AbsoluteForm", "http://evil.example/docs?x", "/docs", "/docs/?x"},
    {"TheClientsPathIsNotTheMatchedOne", "/prefix/docs", "/docs", "/prefix/docs/"},
    {"NeverAnotherHost", "//evil.example/x", "/x", "/x/"},
    {"NeverAnotherHostBehindABackslash", "/\\evil.example", "/x", "/x/"},
    {"NoDotSegments", "/a/../b", "/x", "/x/"},
    {"WithASlashAlready", "/docs/", "/x", "/x/"},
    {"WithoutTheClientsPath", "", "/docs", "/docs/"},
    {"TheQueryAlone", "", "/docs", "/docs/?a=b", "a=b"},
    {"WhatIsNoUriInTheQuery", "/docs?<a>\"b\" c\xc3\xa4", "/docs", "/docs/?%3Ca%3E%22b%22%20c%C3%A4"},
    {"NoSecondHeader", "", "/docs", "/docs/?a%0D%0AX:%201", "a\r\nX: 1"},
    {"AsLongAsItMayBe", "/" + std::string(4094, 'a'), "/x", "/" + std::string(4094, 'a') + "/"},
    {"TooLong", "/" + std::string(4095, 'a'), "/x", ""},
};

class FolderLocation : public testing::TestWithParam<LocationCase> {};

TEST_P(FolderLocation, IsThePathWithASlash) {
  cgi::Params params;
  params.set("REQUEST_URI", GetParam().uri);
  params.set("QUERY_STRING", GetParam().query);
  cgi::RequestPath matched;
  ASSERT_EQ(matched.parse(GetParam().matched, cgi::RequestPath::Form::decoded), "");
  EXPECT_EQ(folder_location(params, matched), GetParam().location);
}
INSTANTIATE_TEST_SUITE_P(Paths, FolderLocation, testing::ValuesIn(location_cases),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace trivet::source
