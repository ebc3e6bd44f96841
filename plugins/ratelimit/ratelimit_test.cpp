#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <trivet/testing.hpp>
#include <vector>

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A rate limit of 3 at once and 10 a minute: one every 6 seconds.
class RateLimits : public testing::Test {
 protected:
  RateLimits() { host_.zone("limits", zone_).set("zone", "limits").set("rate", "10/1m").set("burst", 3); }
  trivet::Answer ask(const std::string& address = "192.0.2.1") { return ask(host_, address); }
  static trivet::Answer ask(trivet::FakeHost& host, const std::string& address) {
    return host.check({.params = {{"REMOTE_ADDR", address}}});
  }
  /// How many of the next `count` pass.
  int passed(int count, const std::string& address = "192.0.2.1") {
    int passed = 0;
    for (int i = 0; i < count; ++i) passed += ask(address).allowed == true ? 1 : 0;
    return passed;
  }

  trivet::FakeZone zone_{trivet::FakeZone::Size{4, 24, 64, 0}};
  trivet::FakeHost host_;
};

TEST_F(RateLimits, LetABurstPassAndThenOneAnInterval) {
  EXPECT_EQ(passed(5), 3);
  zone_.advance(milliseconds(5999));
  EXPECT_EQ(passed(2), 0);
  zone_.advance(milliseconds(1));
  EXPECT_EQ(passed(2), 1);
  zone_.advance(seconds(12));
  EXPECT_EQ(passed(5), 2);
  zone_.advance(seconds(3600));
  EXPECT_EQ(passed(5), 3) << "no more than a burst, however long nobody came";
}

TEST_F(RateLimits, SayWhenToComeAgainRoundedUp) {
  EXPECT_EQ(passed(3), 3);
  trivet::Answer answer = ask();
  EXPECT_EQ(answer.result, TRIVET_OK);
  EXPECT_EQ(answer.allowed, false);
  EXPECT_EQ(answer.status, 429U);
  EXPECT_EQ(answer.header("Retry-After"), "6");
  EXPECT_EQ(answer.header("Content-Type"), "text/plain");
  EXPECT_EQ(answer.body, "too many requests\n");
  EXPECT_EQ(answer.reason, "over the rate limit");
  zone_.advance(milliseconds(4001));
  EXPECT_EQ(ask().header("Retry-After"), "2");
  zone_.advance(milliseconds(1998));
  EXPECT_EQ(ask().header("Retry-After"), "1");
  zone_.advance(milliseconds(1));
  EXPECT_EQ(ask().allowed, true);
}

TEST_F(RateLimits, AreNeverRemembered) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask().cache_for, 0U);
}

TEST_F(RateLimits, CountEachKeyByItself) {
  EXPECT_EQ(passed(5, "192.0.2.1"), 3);
  EXPECT_EQ(passed(5, "192.0.2.2"), 3);
  EXPECT_EQ(passed(5, ""), 3);
  const trivet::Answer without = host_.check({});
  EXPECT_EQ(without.allowed, false) << "an absent parameter counts as empty";
}

TEST_F(RateLimits, AreOneOverSeveralWorkers) {
  std::vector<std::unique_ptr<trivet::FakeHost>> workers;
  for (int i = 0; i < 4; ++i) {
    workers.push_back(std::make_unique<trivet::FakeHost>());
    workers.back()->zone("limits", zone_).set("zone", "limits").set("rate", "10/1m").set("burst", 3);
  }
  int passed = 0;
  for (int i = 0; i < 12; ++i) passed += ask(*workers[i % 4U], "192.0.2.1").allowed == true ? 1 : 0;
  EXPECT_EQ(passed, 3);
  // A reload: others begin where these were.
  workers.clear();
  EXPECT_EQ(ask().allowed, false);
}

TEST_F(RateLimits, KeepNothingOfAKeyThatIsBelowItsRateAgain) {
  EXPECT_EQ(passed(1), 1);
  EXPECT_EQ(zone_.entries(), 1U);
  zone_.advance(seconds(6));
  EXPECT_EQ(zone_.entries(), 0U);
}

TEST_F(RateLimits, TakeTheirKeyFromSeveralParameters) {
  host_.set("key.0", "HTTP_X_A").set("key.1", "HTTP_X_B").set("prefix", "api:");
  const auto one = [&](const char* a, const char* b) {
    return host_.check({.params = {{"HTTP_X_A", a}, {"HTTP_X_B", b}, {"REMOTE_ADDR", "192.0.2.1"}}}).allowed;
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(one("ab", "c"), true);
  EXPECT_EQ(one("ab", "c"), false);
  EXPECT_EQ(one("a", "bc"), true);
  EXPECT_EQ(one("abc", ""), true);
}

TEST_F(RateLimits, AreToldApartByTheirPrefix) {
  EXPECT_EQ(passed(5), 3);
  trivet::FakeHost other;
  other.zone("limits", zone_).set("zone", "limits").set("rate", "10/1m").set("prefix", "other:");
  EXPECT_EQ(ask(other, "192.0.2.1").allowed, true);
}

TEST_F(RateLimits, AllowAsManyAtOnceAsTheirRateNamesUnlessToldOtherwise) {
  trivet::FakeHost host;
  host.zone("limits", zone_).set("zone", "limits").set("rate", "4/h");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask(host, "x").allowed, true);
  const trivet::Answer answer = ask(host, "x");
  EXPECT_EQ(answer.allowed, false);
  EXPECT_EQ(answer.header("Retry-After"), "900");
}

struct WhenFull {
  const char* name;
  const char* setting;
  bool new_key_passes;
  bool old_keys_are_kept;
};
class RateLimitsInAFullZone : public RateLimits, public testing::WithParamInterface<WhenFull> {};

TEST_P(RateLimitsInAFullZone, DoAsTheyAreTold) {
  if (GetParam().setting != nullptr) host_.set("on_full", GetParam().setting);
  for (const char* key : {"1", "2", "3", "4"}) EXPECT_EQ(passed(3, key), 3);
  const trivet::Answer answer = ask("5");
  EXPECT_EQ(answer.allowed, GetParam().new_key_passes);
  if (!GetParam().new_key_passes) {
    EXPECT_EQ(answer.status, 429U);
    EXPECT_EQ(answer.reason, "the zone is full: a larger size would help");
    EXPECT_EQ(answer.header("Retry-After"), "6");
  }
  EXPECT_EQ(ask("1").allowed, !GetParam().old_keys_are_kept);
  EXPECT_EQ(ask("4").allowed, false);
  // Who is below the rate again makes room.
  zone_.advance(seconds(18));
  EXPECT_EQ(ask("6").allowed, true);
}

INSTANTIATE_TEST_SUITE_P(OnFull, RateLimitsInAFullZone,
                         testing::Values(WhenFull{"Default", nullptr, false, true},
                                         WhenFull{"Deny", "deny", false, true},
                                         WhenFull{"Allow", "allow", true, true},
                                         WhenFull{"Evict", "evict", true, false}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(RateLimits, SayOnceAMinuteThatTheZoneIsFull) {
  for (const char* key : {"1", "2", "3", "4"}) EXPECT_EQ(passed(3, key), 3);
  EXPECT_EQ(ask("5").log, std::vector<std::string>{"rate limit: the zone is full: a larger size would help"});
  EXPECT_TRUE(ask("6").log.empty());
}

TEST_F(RateLimits, TreatAKeyThatIsTooLongAsAFullZone) {
  const std::string fits(24, 'k');
  EXPECT_EQ(ask(fits).allowed, true);
  const trivet::Answer answer = ask(fits + "k");
  EXPECT_EQ(answer.allowed, false);
  EXPECT_EQ(answer.reason, "the key is longer than the zone's key_bytes");
}

TEST_F(RateLimits, OnlySayWhatTheyWouldDoInADryRun) {
  host_.set("dry_run", true);
  EXPECT_EQ(passed(3), 3);
  const trivet::Answer answer = ask();
  EXPECT_EQ(answer.allowed, true);
  EXPECT_EQ(answer.log, std::vector<std::string>{"rate limit (dry run): this request would be denied"});
}

TEST_F(RateLimits, DenyWithTheStatusThatIsConfigured) {
  host_.set("status", 503);
  EXPECT_EQ(passed(3), 3);
  EXPECT_EQ(ask().status, 503U);
}

TEST_F(RateLimits, GetOverWhatAnotherRateCounted) {
  trivet::FakeHost slow;
  slow.zone("limits", zone_).set("zone", "limits").set("rate", "1/24h").set("burst", 30);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(ask(slow, "192.0.2.1").allowed, true);
  EXPECT_EQ(ask().header("Retry-After"), "6") << "not a month";
}

struct Wrong {
  const char* name;
  const char* key;
  const char* value;
  const char* error;
};
class RateLimitRefuses : public testing::TestWithParam<Wrong> {};

TEST_P(RateLimitRefuses, WhatIsNoLimit) {
  trivet::FakeZone zone;
  trivet::FakeHost host;
  host.zone("limits", zone).set("zone", "limits").set("rate", "10/1m").set(GetParam().key, GetParam().value);
  EXPECT_FALSE(host.start());
  EXPECT_EQ(host.errors(), std::vector<std::string>{GetParam().error});
}

constexpr const char* rate_error =
    "rate: has to be a number of requests and a time, at most 1000000 and 366d, such as \"100/1m\"";
INSTANTIATE_TEST_SUITE_P(
    Settings, RateLimitRefuses,
    testing::Values(
        Wrong{"NoSlash", "rate", "100", rate_error}, Wrong{"NoTime", "rate", "100/", rate_error},
        Wrong{"NoUnit", "rate", "100/60", rate_error}, Wrong{"OtherUnit", "rate", "1/1y", rate_error},
        Wrong{"NoCount", "rate", "/1m", rate_error}, Wrong{"Zero", "rate", "0/1m", rate_error},
        Wrong{"ZeroTime", "rate", "1/0m", rate_error}, Wrong{"Negative", "rate", "-1/1m", rate_error},
        Wrong{"TooMany", "rate", "1000001/1m", rate_error}, Wrong{"TooLong", "rate", "1/367d", rate_error},
        Wrong{"Overflow", "rate", "1/99999999999999999999d", rate_error},
        Wrong{"Behind", "rate", "1/1mm", rate_error}, Wrong{"Blank", "rate", "1 /1m", rate_error},
        Wrong{"EmptyName", "key.0", "", "key.0: has to be the name of a parameter"},
        Wrong{"OtherZone", "zone", "limit", "zone: no zone \"limit\" is configured"},
        Wrong{"OnFull", "on_full", "block", "on_full: has to be one of deny, allow, evict"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(RateLimitSettings, RefuseABurstOfCenturies) {
  trivet::FakeZone zone;
  trivet::FakeHost host;
  host.zone("limits", zone).set("zone", "limits").set("rate", "1/366d").set("burst", 101);
  EXPECT_FALSE(host.start());
  EXPECT_EQ(host.errors(),
            std::vector<std::string>{"burst: would take more than 100 years to be used up at this rate"});
}

TEST(RateLimitSettings, NeedAZoneAndARate) {
  trivet::FakeHost host;
  EXPECT_FALSE(host.start());
  EXPECT_EQ(host.errors(), (std::vector<std::string>{"zone: is missing", "rate: is missing"}));
}

struct Written {
  const char* rate;
  const char* retry_after;  ///< When one has just passed and one may at once.
};
class RateLimitRates : public testing::TestWithParam<Written> {};

TEST_P(RateLimitRates, AreReadInAllUnits) {
  trivet::FakeZone zone;
  trivet::FakeHost host;
  host.zone("limits", zone).set("zone", "limits").set("rate", GetParam().rate).set("burst", 1);
  EXPECT_EQ(host.check({}).allowed, true);
  EXPECT_EQ(host.check({}).header("Retry-After"), GetParam().retry_after);
}

INSTANTIATE_TEST_SUITE_P(Units, RateLimitRates,
                         testing::Values(Written{"1/1h", "3600"}, Written{"1/h", "3600"},
                                         Written{"2/1m", "30"}, Written{"7/1m", "9"},
                                         Written{"1/1500ms", "2"}, Written{"100/s", "1"},
                                         Written{"1/366d", "31622400"}, Written{"1000000/1ms", "1"}));

}  // namespace
