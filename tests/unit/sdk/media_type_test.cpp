#include <gtest/gtest.h>

#include <string>
#include <trivet/media_type.hpp>

namespace {

TEST(MediaType, IsInLowerCaseAndWithoutParameters) {
  EXPECT_EQ(trivet::media_type("Text/HTML; charset=utf-8"), "text/html");
  EXPECT_EQ(trivet::media_type(" text/plain\t"), "text/plain");
  EXPECT_EQ(trivet::media_type(";"), "");
  EXPECT_EQ(trivet::media_type(""), "");
}

struct Listed {
  const char* name;
  const char* pattern;
  const char* content_type;
  bool expected;
};
class MediaTypeLists : public testing::TestWithParam<Listed> {};

TEST_P(MediaTypeLists, TellWhatIsInThem) {
  const trivet::MediaTypes types({"image/x-none", GetParam().pattern});
  EXPECT_EQ(types.contains(GetParam().content_type), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Each, MediaTypeLists,
                         testing::Values(Listed{"Exact", "text/html", "text/html;charset=x", true},
                                         Listed{"AnyCase", "Text/Html", "tEXT/hTML", true},
                                         Listed{"Longer", "text/html", "text/html5", false},
                                         Listed{"Shorter", "text/html", "text/htm", false},
                                         Listed{"AnySubtype", "text/*", "text/x", true},
                                         Listed{"OtherType", "text/*", "context/x", false},
                                         Listed{"Suffix", "application/*+json", "application/a+b+json", true},
                                         Listed{"NoSuffix", "application/*+json", "application/json", false},
                                         Listed{"AllWithoutType", "*", "", true},
                                         Listed{"NoneWithoutType", "*/*", "", false},
                                         Listed{"Stars", "a*b*c*", "aXbbcXbc", true},
                                         Listed{"StarsShort", "a*b*c*", "aXbb", false}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(AListOfWords, IsSearchedItemByItem) {
  EXPECT_TRUE(trivet::lists_word("Origin, accept-encoding", "Accept-Encoding"));
  EXPECT_TRUE(trivet::lists_word("no-transform", "no-transform"));
  EXPECT_TRUE(trivet::lists_word("max-age=1 ,\tNO-TRANSFORM ;x", "no-transform"));
  EXPECT_FALSE(trivet::lists_word("x-no-transform, no-transform-y", "no-transform"));
  EXPECT_FALSE(trivet::lists_word("", "Accept-Encoding"));
  EXPECT_FALSE(trivet::lists_word("a=no-transform", "no-transform"));
}

}  // namespace
