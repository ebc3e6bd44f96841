#include "runtime/roles/journal.hpp"

#include <gtest/gtest.h>

namespace trivet::roles {
namespace {

// One that is known when the host is built, and one that only a configuration knows.
const std::vector<cgi::ParamName> secrets = {cgi::ParamName("HTTP_AUTHORIZATION"),
                                             cgi::ParamName("HTTP_X_SESSION")};

void fill(cgi::Params& params, std::string_view authorization, std::string_view session) {
  if (!authorization.empty()) params.add("HTTP_AUTHORIZATION", authorization);
  if (!session.empty()) params.add("HTTP_X_SESSION", session);
  params.add("REMOTE_ADDR", "192.0.2.1");
  ASSERT_FALSE(params.settle());
}

struct RedactCase {
  const char* authorization;
  const char* session;
  const char* text;
  const char* expected;
};

TEST(Redacted, HidesTheValuesWhereverTheyStand) {
  const RedactCase cases[] = {
      {"", "", "nothing to hide", "nothing to hide"},
      {"Bearer abcdef", "", "no secret", "no secret"},
      {"Bearer abcdef", "", "", ""},
      {"Bearer abcdef", "", "Bearer abcdef", "[redacted]"},
      {"Bearer abcdef", "", "bad token abcdef.", "bad token [redacted]."},
      {"Bearer abcdef", "", "abcdefabcdef abcde", "[redacted][redacted] abcde"},
      {"Bearer abcdef", "", "Bearer alone stays", "Bearer alone stays"},
      {"Bearer abcdef", "sid=12345", "sid=12345 of abcdef", "[redacted] of [redacted]"},
      {"abc", "", "abc is too short to be told from chance", "abc is too short to be told from chance"},
      {"abcd", "", "abcd", "[redacted]"},
      {"", "a=1; b=2", "a=1; b=2", "[redacted]"},
  };
  for (const RedactCase& each : cases) {
    cgi::Params params;
    fill(params, each.authorization, each.session);
    std::string scratch;
    EXPECT_EQ(redacted(params, secrets, each.text, scratch), each.expected) << each.text;
    EXPECT_EQ(redacted(params, {}, each.text, scratch), each.text) << "with nothing to redact";
  }
}

TEST(Redacted, HidesWhatFollowsTheFirstSpaceWhereverThatIs) {
  for (std::size_t before = 1; before < 40; ++before) {
    for (const char filler : {'!', '\x1f', '\xa0', '\0', 'a'}) {
      const std::string value = std::string(before, filler) + " to ken " + std::string(before % 3, 'x');
      cgi::Params params;
      params.add("HTTP_X_SESSION", value);
      std::string scratch;
      const std::string text = "its " + value.substr(before + 1) + ".";
      EXPECT_EQ(redacted(params, secrets, text, scratch), "its [redacted].") << before << ' ' << int{filler};
      EXPECT_EQ(redacted(params, secrets, "to ke", scratch), "to ke");
    }
  }
}

TEST(Redacted, SeveralTextsAtOnceNeedMemoryOnlyWhereSomethingIsFound) {
  cgi::Params params;
  fill(params, "Bearer abcdef", "sid=12345");
  std::vector<std::string> scratch;
  std::string_view texts[] = {"nothing", "", "/of/some/length"};  // NOLINT(*-avoid-c-arrays)
  redact(params, secrets, texts, scratch);
  EXPECT_TRUE(scratch.empty());
  EXPECT_EQ(texts[2], "/of/some/length");
  texts[0] = "abcdef sid=12345 abcdef";
  texts[2] = "/sid=12345?Bearer abcdef";
  redact(params, secrets, texts, scratch);
  EXPECT_EQ(texts[0], "[redacted] [redacted] [redacted]");
  EXPECT_EQ(texts[1], "");
  EXPECT_EQ(texts[2], "/[redacted]?[redacted]");
}

TEST(Redacted, AListOfParametersShowsTheNamesOfSecretsAlone) {
  cgi::Params params;
  params.add("HTTP_AUTHORIZATION", "Bearer abcdef");
  params.add("HTTP_X_COPY", "abcdef too");
  params.add("REQUEST_URI", "/x");
  ASSERT_FALSE(params.settle());
  EXPECT_EQ(listed(params, secrets),
            "HTTP_AUTHORIZATION=[redacted] HTTP_X_COPY=[redacted] too REQUEST_URI=/x");
}

TEST(RequestName, IsShortAndPlain) {
  const std::string longest(128, 'a');
  for (const std::string& good : {std::string("a"), std::string("0123-AZaz._~:/+=@"), longest})
    EXPECT_TRUE(names_request(good)) << good;
  for (const std::string& bad : {std::string(), longest + "a", std::string("a b"), std::string("a\"b"),
                                 std::string("a\nb"), std::string("a\0b", 3), std::string("\xc3\xa4"),
                                 std::string("a,b"), std::string("a\\b"), std::string("a%20")})
    EXPECT_FALSE(names_request(bad)) << bad;
}

}  // namespace
}  // namespace trivet::roles
