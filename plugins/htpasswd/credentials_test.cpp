#include "credentials.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace htpasswd {
namespace {

constexpr std::size_t most = 64;

struct Right {
  const char* name;
  std::string header;
  std::string user;
  std::string password;
};
void PrintTo(const Right& it, std::ostream* out) { *out << it.name; }
class BasicCredentials : public testing::TestWithParam<Right> {};

TEST_P(BasicCredentials, AreRead) {
  Credentials given;
  EXPECT_EQ(given.read_header(GetParam().header, most), "");
  EXPECT_EQ(given.name, GetParam().user);
  EXPECT_EQ(given.password.view(), GetParam().password);
}

INSTANTIATE_TEST_SUITE_P(Headers, BasicCredentials,
                         testing::Values(Right{"OfTheSpecification", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
                                               "Aladdin", "open sesame"},
                                         Right{"Utf8", "Basic dGVzdDoxMjPCow==", "test", "123\xC2\xA3"},
                                         Right{"SchemeInAnyCase", "bAsIC YTpi", "a", "b"},
                                         Right{"MoreSpaces", "Basic   YTpi \t", "a", "b"},
                                         Right{"OneByteOver", "Basic YTpiYw==", "a", "bc"},
                                         Right{"TwoBytesOver", "Basic YTpiY2Q=", "a", "bcd"},
                                         Right{"AColonInThePassword", "Basic YTo6Yjo=", "a", ":b:"},
                                         Right{"AllLetters", "Basic YTr7/78+Pz8/", "a", "\xFB\xFF\xBF>???"},
                                         Right{"TheLongestPassword", "Basic YTp4" + std::string(84, 'e'), "a",
                                               std::string("x") +
                                                   [] {
                                                     std::string text;
                                                     for (int i = 0; i < 21; ++i) text += "y\xE7\x9E";
                                                     return text;
                                                   }()}),
                         [](const auto& test) { return std::string(test.param.name); });

struct Wrong {
  const char* name;
  std::string header;
  const char* reason;
};
void PrintTo(const Wrong& it, std::ostream* out) { *out << it.name; }
class OddCredentials : public testing::TestWithParam<Wrong> {};

TEST_P(OddCredentials, AreRefusedAndNotQuoted) {
  Credentials given;
  EXPECT_EQ(given.read_header(GetParam().header, most), GetParam().reason);
  EXPECT_EQ(given.name, "");
}

constexpr const char* other_scheme = "credentials of another scheme than Basic";
constexpr const char* no_base64 = "credentials that are no base64";
INSTANTIATE_TEST_SUITE_P(
    Headers, OddCredentials,
    testing::Values(
        Wrong{"None", "", "no credentials"}, Wrong{"SchemeAlone", "Basic", other_scheme},
        Wrong{"NoToken", "Basic ", no_base64}, Wrong{"OnlySpaces", "Basic    ", no_base64},
        Wrong{"Bearer", "Bearer YTpi", other_scheme}, Wrong{"LongerScheme", "Basics YTpi", other_scheme},
        Wrong{"ATab", "Basic\tYTpi", other_scheme}, Wrong{"CutLetters", "Basic YTp", no_base64},
        Wrong{"NotPadded", "Basic YTpiYw", no_base64}, Wrong{"PaddedTooMuch", "Basic YTpiY===", no_base64},
        Wrong{"OnlyPadding", "Basic ====", no_base64}, Wrong{"PaddingWithin", "Basic YTpi=YTpi", no_base64},
        Wrong{"PaddingBefore", "Basic YQ==YTpi", no_base64},
        Wrong{"BitsAfterTheEnd", "Basic YTpiYx==", no_base64},
        Wrong{"BitsAfterTheEndOfTwo", "Basic YTpiY2R=", no_base64},
        Wrong{"UrlLetters", "Basic YTr7_78-", no_base64}, Wrong{"SpacesWithin", "Basic YT pi", no_base64},
        Wrong{"ALineWithin", "Basic YTpi\nYTpi", no_base64},
        Wrong{"ANulWithin", std::string("Basic YTp\0", 10), no_base64},
        Wrong{"NotLetters", "Basic \xFF\xFF\xFF\xFF", no_base64},
        Wrong{"Twice", "Basic YTpi, Basic YTpi", no_base64},
        Wrong{"NoColon", "Basic YWI=", "credentials without a colon"},
        Wrong{"NoName", "Basic OmI=", "a user without a name"},
        Wrong{"NoPassword", "Basic YTo=", "an empty password"},
        Wrong{"OnlyAColon", "Basic Og==", "a user without a name"},
        Wrong{"NulInTheName", "Basic YQBiOmM=", "control characters in the user's name"},
        Wrong{"NulInThePassword", "Basic YTpiAGM=", "control characters in the password"},
        Wrong{"NulAtTheEnd", "Basic YTpiAA==", "control characters in the password"},
        Wrong{"NewLineInTheName", "Basic YQo6Yg==", "control characters in the user's name"},
        Wrong{"DeleteInThePassword", "Basic YTp/", "control characters in the password"},
        Wrong{"PasswordTooLong", "Basic YTp4" + std::string(88, 'e'), "the password is too long"},
        Wrong{"NameTooLong", "Basic " + std::string(344, 'e') + "Omk=", "the user's name is too long"},
        Wrong{"FarTooLong", "Basic " + std::string(4096, 'e'), "credentials that are too long"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Credentials, AreRefusedHoweverTheyAreCut) {
  const std::string whole = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Credentials given;
    const bool taken = given.read_header(whole.substr(0, size), most).empty();
    EXPECT_FALSE(taken && given.password.view() == "open sesame") << size;
  }
}

TEST(Credentials, OfAServerThatTookThemApartAreLookedAtLikewise) {
  Credentials given;
  EXPECT_EQ(given.read_parts("ann", "a: b", most), "");
  EXPECT_EQ(given.password.view(), "a: b");
  const auto reason = [](std::string_view name, std::string_view password) {
    return std::string(Credentials().read_parts(name, password, most));
  };
  EXPECT_EQ(reason("", "b"), "a user without a name");
  EXPECT_EQ(reason("a:b", "b"), "a colon in the user's name");
  EXPECT_EQ(reason("a\n", "b"), "control characters in the user's name");
  EXPECT_EQ(reason("a", ""), "an empty password");
  EXPECT_EQ(reason("a", "\x7F"), "control characters in the password");
  EXPECT_EQ(reason("a", std::string(most, 'b')), "");
  EXPECT_EQ(reason("a", std::string(most + 1, 'b')), "the password is too long");
  EXPECT_EQ(reason(std::string(256, 'a'), "b"), "the user's name is too long");
}

}  // namespace
}  // namespace htpasswd
