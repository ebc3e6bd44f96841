#include <gtest/gtest.h>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

/// What is counted of plugins and requests.
namespace trivet::host::testing {
namespace {

process::PluginTotals counted(const process::PluginCounters& counters) {
  process::PluginTotals totals;
  totals.calls = process::read(counters.calls);
  totals.errors = process::read(counters.errors);
  totals.timeouts = process::read(counters.timeouts);
  totals.refused = process::read(counters.refused);
  totals.timed = process::read(counters.timed);
  totals.running_time = process::read(counters.running_time);
  totals.waiting_time = process::read(counters.waiting_time);
  return totals;
}

class UsageTest : public ::testing::Test {
 protected:
  ~UsageTest() override { SlowGate::hold = false; }

  /// A plugin that is counted in `counters_`.
  template <class T>
  plugin::Plugin& add(const std::string& name, std::uint32_t threads, std::uint32_t queue = 256) {
    plugin::Plugin& plugin = bench_.add<T>(name, threads, std::chrono::seconds(2), queue);
    plugin.count_in(counters_);
    return plugin;
  }
  Answer ask(const std::string& uri, const Ask& what = {}) {
    Bench::Wire& wire = bench_.connect();
    wire.send(request(uri, what));
    EXPECT_TRUE(wire.wait());
    return wire.answer();
  }
  bool wait_until_called(int times) {
    return bench_.loop.wait_until([times] { return SlowGate::entered == times; });
  }

  process::PluginCounters counters_;
  Bench bench_;
};

TEST_F(UsageTest, ASourceOnTheLoopIsCountedOncePerRequestAndNotTimed) {
  add<LoopEcho>("echo", 0);
  bench_.route("r", "/**").respond = "echo";
  bench_.open();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("/", {.body = "abc"}).status(), 200);
  const auto totals = counted(counters_);
  EXPECT_EQ(totals.calls, 3U);
  EXPECT_EQ(totals.errors, 0U);
  EXPECT_EQ(totals.timed, 0U);
  EXPECT_EQ(totals.running_time, 0U);
}

TEST_F(UsageTest, HooksOnAThreadAreOneCallAndAreTimed) {
  add<ThreadEcho>("echo", 1);
  bench_.route("r", "/**").respond = "echo";
  bench_.open();
  EXPECT_EQ(ask("/", {.body = "abc"}).status(), 200);
  const auto totals = counted(counters_);
  EXPECT_EQ(totals.calls, 1U);
  EXPECT_EQ(totals.timed, 1U);
  EXPECT_GT(totals.running_time, 0U);
  EXPECT_GT(totals.waiting_time, 0U);
  EXPECT_LT(totals.running_time, 60'000'000'000U);
}

TEST_F(UsageTest, ABlockingCallIsTimedWithoutItsWaitForTheWebServer) {
  add<BlockingEcho>("echo", 1);
  bench_.route("r", "/**").respond = "echo";
  bench_.open();
  Bench::Wire& wire = bench_.connect();
  wire.send(request("/", {.end_body = false}));
  const base::TimePoint since = base::Clock::now();
  bench_.loop.wait_until([&] { return base::Clock::now() - since > std::chrono::milliseconds(300); });
  wire.send(stream_end(1, 5));
  EXPECT_TRUE(wire.wait());
  const auto totals = counted(counters_);
  EXPECT_EQ(totals.calls, 1U);
  EXPECT_EQ(totals.timed, 1U);
  EXPECT_LT(totals.running_time, 250'000'000U);
}

TEST_F(UsageTest, FailuresAreErrorsWhereverThePluginRuns) {
  add<Head>("head", 0);
  add<Gate>("gate", 0);
  bench_.route("guarded", "/guarded").authorize.emplace_back().plugin = "gate";
  bench_.route("r", "/**").respond = "head";
  bench_.open();
  EXPECT_EQ(ask("/", {.params = {{"QUERY_STRING", "throw"}}}).status(), 500);
  EXPECT_EQ(counted(counters_).errors, 1U);
  EXPECT_EQ(ask("/guarded", {.role = 2, .params = {{"HTTP_X_KEY", "throw"}}}).status(), 500);
  EXPECT_EQ(counted(counters_).errors, 2U);
  EXPECT_EQ(ask("/guarded", {.role = 2, .params = {{"HTTP_X_KEY", "forbidden"}}}).status(), 500);
  EXPECT_EQ(counted(counters_).errors, 3U);
  EXPECT_EQ(ask("/guarded", {.role = 2, .params = {{"HTTP_X_KEY", "bad"}}}).status(), 403);
  EXPECT_EQ(counted(counters_).errors, 3U) << "a deny is an answer";
  EXPECT_EQ(counted(counters_).calls, 4U);
}

TEST_F(UsageTest, AGuardThatIsNotInTimeIsATimeoutAndAFullQueueRefuses) {
  add<SlowGate>("slow", 1, 1);
  bench_.route("r", "/**").authorize.emplace_back().plugin = "slow";
  bench_.open();
  SlowGate::hold = true;
  SlowGate::entered = 0;
  Bench::Wire& first = bench_.connect();
  first.send(request("/", {.role = 2}));
  ASSERT_TRUE(wait_until_called(1));
  bench_.connect().send(request("/", {.role = 2}));
  EXPECT_EQ(ask("/", {.role = 2}).status(), 503);
  EXPECT_EQ(counted(counters_).calls, 2U);
  EXPECT_EQ(counted(counters_).refused, 1U);
  bench_.loop.advance(std::chrono::seconds(3));
  EXPECT_EQ(first.answer().status(), 504);
  EXPECT_EQ(counted(counters_).timeouts, 2U);
  EXPECT_EQ(counted(counters_).timed, 0U);
  SlowGate::hold = false;
  EXPECT_TRUE(bench_.loop.wait_until([&] { return counted(counters_).timed == 1U; }));
  EXPECT_EQ(counted(counters_).errors, 0U);
}

TEST_F(UsageTest, AThreadIsLostWhenItStaysAwayAfterATimeoutAndServesAgainWhenItReturns) {
  plugin::Plugin& slow = add<SlowGate>("slow", 2);
  bench_.route("r", "/**").authorize.emplace_back().plugin = "slow";
  bench_.open();
  SlowGate::hold = true;
  SlowGate::entered = 0;
  Bench::Wire& wire = bench_.connect();
  wire.send(request("/", {.role = 2}));
  ASSERT_TRUE(wait_until_called(1));
  const auto lost_in = [&](std::chrono::milliseconds time) {
    return slow.load(base::Clock::now() + time).lost;
  };
  EXPECT_EQ(lost_in(std::chrono::hours(1)), 0U) << "the request waits for it";
  bench_.loop.advance(std::chrono::seconds(3));
  EXPECT_EQ(wire.answer().status(), 504);
  EXPECT_EQ(lost_in(std::chrono::milliseconds(1000)), 0U);
  EXPECT_EQ(lost_in(std::chrono::milliseconds(2100)), 1U) << "its timeout once more";
  EXPECT_EQ(slow.load(base::Clock::now()).running, 1U);
  SlowGate::hold = false;
  EXPECT_EQ(ask("/", {.role = 2}).status(), 200);
  EXPECT_TRUE(bench_.loop.wait_until([&] { return slow.load(base::Clock::now()).running == 0; }));
  EXPECT_EQ(lost_in(std::chrono::hours(1)), 0U);
}

TEST_F(UsageTest, EachRequestIsDecidedOnceAndOpenUntilItIsOver) {
  add<Gate>("gate", 0);
  bench_.add<Hello>("hello");
  config::Route& route = bench_.route("r", "/in/**");
  route.authorize.emplace_back().plugin = "gate";
  route.respond = "hello";
  bench_.open();
  const CountingTally& tally = bench_.tally;
  const auto decisions = [&] {
    return std::to_string(tally.allows) + std::to_string(tally.denies) + std::to_string(tally.errors);
  };
  for (const std::uint16_t role : {std::uint16_t{2}, std::uint16_t{1}}) {
    ask("/in/", {.role = role, .params = {{"HTTP_X_KEY", "plain"}}});
    EXPECT_EQ(decisions(), role == 2 ? "100" : "221");
    ask("/in/", {.role = role, .params = {{"HTTP_X_KEY", "bad"}}});
    EXPECT_EQ(decisions(), role == 2 ? "110" : "231");
    ask("/in/", {.role = role, .params = {{"HTTP_X_KEY", "throw"}}});
    EXPECT_EQ(decisions(), role == 2 ? "111" : "232");
    ask("/out", {.role = role});
    EXPECT_EQ(decisions(), role == 2 ? "121" : "232") << "without a route only an authorizer is a question";
  }
  EXPECT_EQ(tally.without_route, 2);
  EXPECT_EQ(tally.requests, 8);
  Bench::Wire& wire = bench_.connect();
  wire.send(begin(1, 1, true));
  EXPECT_EQ(tally.open, 1U);
  wire.end(true);
  EXPECT_EQ(tally.open, 0U);
}

}  // namespace
}  // namespace trivet::host::testing
