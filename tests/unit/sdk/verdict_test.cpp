#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <trivet/plugin.hpp>
#include <trivet/testing.hpp>

namespace {

using trivet::Answer;
using trivet::Verdict;

std::function<Verdict()> judge;

struct Judge {
  Verdict check(trivet::Request&) { return judge(); }
};
constexpr trivet_plugin plugin = trivet::sdk::entry<Judge>("judge", "1");

Answer told(std::function<Verdict()> how) {
  judge = std::move(how);
  return trivet::FakeHost(plugin).check({});
}

TEST(Verdict, ThatWasNeverMadeDenies) {
  const Answer answer = told([] { return Verdict(); });
  EXPECT_EQ(answer.result, TRIVET_OK);
  EXPECT_EQ(answer.allowed, false);
  EXPECT_EQ(answer.status, 403U);
  EXPECT_EQ(answer.reason, "the plugin made no verdict");
}

TEST(Verdict, AllowsWithVariables) {
  const Answer answer = told([] { return trivet::allow().set("REMOTE_USER", "ann").set("GROUPS", ""); });
  EXPECT_EQ(answer.allowed, true);
  EXPECT_EQ(answer.variables, (decltype(answer.variables){{"GROUPS", ""}, {"REMOTE_USER", "ann"}}));
}

TEST(Verdict, DeniesWithAWholeAnswer) {
  const Answer answer = told([] {
    return trivet::deny(401)
        .header("WWW-Authenticate", "Basic")
        .header("Set-Cookie", "a")
        .header("Set-Cookie", "b")
        .body("no")
        .reason("why");
  });
  EXPECT_EQ(answer.allowed, false);
  EXPECT_EQ(answer.status, 401U);
  EXPECT_EQ(answer.headers.size(), 3U);
  EXPECT_EQ(answer.body, "no");
  EXPECT_EQ(answer.reason, "why");
}

TEST(Verdict, SaysForHowLongItMayBeRemembered) {
  EXPECT_FALSE(told([] { return trivet::allow(); }).cache_for.has_value());
  EXPECT_EQ(told([] { return trivet::allow().cache_for(std::chrono::seconds(2)); }).cache_for,
            2'000'000'000U);
  EXPECT_EQ(told([] { return trivet::deny().cache_for(std::chrono::seconds(-1)); }).cache_for, 0U);
}

TEST(Verdict, DeniesWith403UnlessToldOtherwise) {
  EXPECT_EQ(told([] { return trivet::deny(); }).status, 403U);
}

TEST(Verdict, CanBeMadeStepByStep) {
  const Answer answer = told([] {
    Verdict verdict = trivet::deny(302);
    verdict.header("Location", "/login");
    verdict.reason("not signed in").body("");
    return verdict;
  });
  EXPECT_EQ(answer.status, 302U);
  EXPECT_EQ(answer.header("location"), "/login");
}

TEST(Verdict, ADenyCarriesNoVariables) {
  EXPECT_TRUE(told([] { return trivet::deny().set("REMOTE_USER", "ann"); }).variables.empty());
}

struct BadCase {
  const char* name;
  std::function<Verdict()> how;
};
class BadVerdicts : public testing::TestWithParam<BadCase> {};

TEST_P(BadVerdicts, AreFailuresAndNeverAllow) {
  const Answer answer = told(GetParam().how);
  EXPECT_EQ(answer.result, TRIVET_E_FAILED);
  EXPECT_EQ(answer.allowed, std::nullopt);
  EXPECT_NE(answer.failure, "");
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadVerdicts,
    testing::Values(BadCase{"Deny200", [] { return trivet::deny(200); }},
                    BadCase{"Deny304", [] { return trivet::deny(304); }},
                    BadCase{"Deny0", [] { return trivet::deny(0); }},
                    BadCase{"Deny600", [] { return trivet::deny(600); }},
                    BadCase{"LineInVariable", [] { return trivet::allow().set("X", "a\nb"); }},
                    BadCase{"ForbiddenVariable", [] { return trivet::allow().set("HTTP_HOST", "a"); }},
                    BadCase{"LowerCaseVariable", [] { return trivet::allow().set("user", "a"); }},
                    BadCase{"LineInHeader", [] { return trivet::deny().header("X", "a\rb"); }},
                    BadCase{"Throws", []() -> Verdict { throw std::runtime_error("x"); }}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
