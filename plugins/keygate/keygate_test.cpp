#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <trivet/testing.hpp>

namespace {

struct Case {
  const char* name;
  std::optional<std::string> given;
  bool allowed;
  unsigned status;
  const char* reason;
};

class KeyGateChecks : public testing::TestWithParam<Case> {};

TEST_P(KeyGateChecks, TheKeyOfTheClient) {
  trivet::FakeHost host;
  host.set("key", "s3cret").set("user", "office").set("header", "X-Office-Key");
  trivet::Ask ask;
  ask.params = {{"HTTP_X_API_KEY", "s3cret"}};  // Not the header that is configured.
  if (GetParam().given) ask.params["HTTP_X_OFFICE_KEY"] = *GetParam().given;
  const trivet::Answer answer = host.check(ask);
  EXPECT_EQ(answer.result, TRIVET_OK) << answer.failure;
  ASSERT_TRUE(answer.allowed.has_value());
  EXPECT_EQ(*answer.allowed, GetParam().allowed);
  EXPECT_EQ(answer.reason, GetParam().reason);
  if (GetParam().allowed) {
    EXPECT_EQ(answer.variables.at("REMOTE_USER"), "office");
    EXPECT_EQ(answer.body, "");
    return;
  }
  EXPECT_EQ(answer.status, GetParam().status);
  EXPECT_TRUE(answer.variables.empty());
  EXPECT_NE(answer.body, "");
  EXPECT_EQ(answer.header("WWW-Authenticate").has_value(), GetParam().status == 401);
}

INSTANTIATE_TEST_SUITE_P(
    Keys, KeyGateChecks,
    testing::Values(Case{"Right", "s3cret", true, 200, ""},
                    Case{"Missing", std::nullopt, false, 401, "no key"},
                    Case{"Empty", "", false, 401, "no key"}, Case{"Wrong", "S3cret", false, 403, "wrong key"},
                    Case{"Prefix", "s3cre", false, 403, "wrong key"},
                    Case{"Longer", "s3crets", false, 403, "wrong key"},
                    Case{"Twice", "s3crets3cret", false, 403, "wrong key"},
                    Case{"WithNul", std::string("s3cret\0", 7), false, 403, "wrong key"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(KeyGate, ChallengesWithTheSchemeOfTheKey) {
  trivet::FakeHost host;
  host.set("key", "k");
  EXPECT_EQ(host.check({}).header("WWW-Authenticate"), "ApiKey realm=\"trivet\"");
}

TEST(KeyGate, ReadsXApiKeyUnlessToldOtherwise) {
  trivet::FakeHost host;
  host.set("key", "k");
  const trivet::Answer answer = host.check({.params = {{"HTTP_X_API_KEY", "k"}}, .body = {}});
  EXPECT_EQ(answer.allowed, true);
  EXPECT_EQ(answer.variables.at("REMOTE_USER"), "api");
}

struct Wrong {
  const char* name;
  const char* key;
  const char* value;
  const char* error;
};

class KeyGateRefuses : public testing::TestWithParam<Wrong> {};

TEST_P(KeyGateRefuses, ASettingThatWouldOpenTheDoor) {
  trivet::FakeHost host;
  host.set("key", "k").set(GetParam().key, GetParam().value);
  EXPECT_FALSE(host.start());
  EXPECT_EQ(host.errors(), std::vector<std::string>{GetParam().error});
}

INSTANTIATE_TEST_SUITE_P(
    Settings, KeyGateRefuses,
    testing::Values(Wrong{"EmptyKey", "key", "", "key: has 0 characters, needs at least 1"},
                    Wrong{"EmptyUser", "user", "", "user: has 0 characters, needs at least 1"},
                    Wrong{"EmptyHeader", "header", "", "header: has 0 characters, needs at least 1"},
                    Wrong{"OddHeader", "header", "X Key",
                          "header: has to be the name of a header: letters, digits and -"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(KeyGate, NeedsAKey) {
  trivet::FakeHost host;
  EXPECT_FALSE(host.start());
  EXPECT_EQ(host.errors(), std::vector<std::string>{"key: is missing"});
}

}  // namespace
