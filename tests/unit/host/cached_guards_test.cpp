#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/manual_workers.hpp"
#include "tests/unit/host/test_plugins.hpp"

/// Guards whose verdicts are remembered.
namespace trivet::host::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

int asked = 0;
std::string behaviour;            // What the guards do next.
std::function<void()> meanwhile;  // What happens while one runs on its thread.

/// Lets in who has a cookie that begins with "good", by that name.
trivet::Verdict judge(trivet::Request& request) {
  ++asked;
  if (meanwhile) std::exchange(meanwhile, {})();
  const std::string cookie(request.param("HTTP_COOKIE"));
  if (behaviour == "throw") throw std::runtime_error("on purpose");
  trivet::Verdict verdict = cookie.starts_with("good")
                                ? trivet::allow().set("REMOTE_USER", cookie)
                                : trivet::deny(401).body("for " + cookie).reason("bad cookie");
  if (behaviour == "forbid") verdict.cache_for(seconds(0));
  if (behaviour == "shorten") verdict.cache_for(milliseconds(100));
  if (behaviour == "cookie") verdict.header("Set-Cookie", "a=b");
  if (behaviour == "enumerate") (void)request.params();
  if (behaviour == "method") verdict.set("METHOD", request.param("REQUEST_METHOD"));
  if (behaviour == "phase") verdict.set("METHOD", std::to_string(static_cast<unsigned>(request.phase())));
  if (behaviour == "user") verdict.set("METHOD", "<" + std::string(request.param("REMOTE_USER")) + ">");
  if (behaviour == "steering") verdict.set("METHOD", request.param("TRIVET_DIALECT"));
  return verdict;
}

struct OnLoop {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request& request) { return judge(request); }
};
struct OnThread {
  trivet::Verdict check(trivet::Request& request) { return judge(request); }
};

class CachedGuards : public ::testing::Test {
 protected:
  CachedGuards() {
    asked = 0;
    behaviour.clear();
    meanwhile = {};
    bench.make_workers = work.maker();
    bench.add<OnLoop>("loop");
    bench.add<OnThread>("thread", 4, seconds(2), 300);
    bench.add<OnThread>("narrow", 4, seconds(2), 1);
    bench.add<WhoAmI>("who");
    for (const char* name : {"loop", "thread", "narrow"}) add(name, name);
    add("other", "loop");
  }

  config::Route& add(const std::string& name, const std::string& plugin) {
    auto& route = bench.route(name, "/" + name + "/**");
    config::Guard guard;
    guard.plugin = plugin;
    guard.cache.emplace();
    route.authorize = {guard};
    route.variables = {"REMOTE_USER", "METHOD"};
    route.respond = "who";
    return route;
  }

  Answer ask(const std::string& uri, const std::string& cookie, Names more = {}, std::uint16_t role = 2) {
    Bench::Wire& wire = bench.connect();
    more.emplace_back("HTTP_COOKIE", cookie);
    Ask with{.role = role, .params = std::move(more)};
    wire.send(request(uri, with));
    work.run_all(bench.loop);
    return wire.answer();
  }
  static std::string granted(const std::string& user, const std::string& method = "") {
    return "Status: 200 OK\r\nVariable-REMOTE_USER: " + user + "\r\nVariable-METHOD: " + method + "\r\n\r\n";
  }
  /// That many requests of role 2 with one cookie, over one connection.
  Bench::Wire& send(const std::string& uri, const std::string& cookie, std::uint16_t first,
                    std::uint16_t count, Bench::Wire* over = nullptr) {
    Bench::Wire& wire = over != nullptr ? *over : bench.connect();
    for (std::uint16_t i = 0; i < count; ++i) {
      wire.send(
          request(uri, {.id = static_cast<std::uint16_t>(first + i),
                        .role = 2,
                        .params = {{"HTTP_COOKIE", cookie}, {"REMOTE_PORT", std::to_string(first + i)}}}));
    }
    return wire;
  }

  ManualWork work;
  Bench bench;
};

TEST_F(CachedGuards, AThousandRequestsWithOneCredentialAskOnce) {
  bench.open();
  for (const std::string name : {"loop", "thread"}) {
    asked = 0;
    for (int i = 0; i < 1000; ++i) {
      ASSERT_EQ(ask("/" + name + "/" + std::to_string(i), "good", {{"REMOTE_PORT", std::to_string(i)}},
                    i % 2 == 0 ? 1 : 2)
                    .status(),
                200);
    }
    EXPECT_EQ(asked, 1) << name;
    EXPECT_EQ(ask("/" + name + "/x", "good").out, granted("good"));
    EXPECT_EQ(ask("/" + name + "/x", "good", {}, 1).body(), "user=good type= groups= coding=\n");
    bench.loop.advance(milliseconds(5001));
    EXPECT_EQ(ask("/" + name + "/x", "good").status(), 200);
    EXPECT_EQ(asked, 2) << name;
  }
}

TEST_F(CachedGuards, AHundredAtTheSameMomentAskOnceFromTheFirstTimeOn) {
  bench.open();
  for (int round = 0; round < 3; ++round) {
    asked = 0;
    Bench::Wire& wire = send("/thread/x", "good" + std::to_string(round), 1, 100);
    EXPECT_EQ(work.waiting(), 1U);
    work.run_all(bench.loop);
    EXPECT_EQ(asked, 1);
    for (std::uint16_t id = 1; id <= 100; ++id)
      ASSERT_EQ(wire.answer(id).out, granted("good" + std::to_string(round))) << id;
  }
}

TEST_F(CachedGuards, NobodyIsAnsweredForAnother) {
  bench.open();
  // Nothing is known yet, so the second waits for the first, and then for nobody.
  Bench::Wire& wire = send("/thread/x", "good-a", 1, 1);
  send("/thread/x", "good-b", 2, 1, &wire);
  send("/thread/x", "bad", 3, 1, &wire);
  EXPECT_EQ(work.waiting(), 1U);
  work.run_all(bench.loop);
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(wire.answer(1).out, granted("good-a"));
  EXPECT_EQ(wire.answer(2).out, granted("good-b"));
  EXPECT_EQ(wire.answer(3).status(), 401);
  // From now on they do not.
  send("/thread/x", "good-c", 1, 1, &wire);
  send("/thread/x", "good-d", 2, 1, &wire);
  EXPECT_EQ(work.waiting(), 2U);
  work.run_all(bench.loop);
}

TEST_F(CachedGuards, ADenialIsToldAgainAndAskedAgainAfterItsTime) {
  bench.open();
  EXPECT_EQ(ask("/loop/x", "bad").body(), "for bad");
  EXPECT_EQ(ask("/loop/x", "bad").body(), "for bad");
  EXPECT_EQ(ask("/loop/x", "bad", {}, 1).status(), 401);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(bench.log.count("denied"), 3U);
  EXPECT_EQ(bench.log.count("bad cookie (remembered)"), 2U);
  bench.loop.advance(milliseconds(1001));
  EXPECT_EQ(ask("/loop/x", "bad").status(), 401);
  EXPECT_EQ(asked, 2);
}

TEST_F(CachedGuards, OfTwoRoutesDoNotShare) {
  bench.open();
  EXPECT_EQ(ask("/loop/x", "good").status(), 200);
  EXPECT_EQ(ask("/other/x", "good").status(), 200);
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(ask("/other/x", "good").status(), 200);
  EXPECT_EQ(asked, 2);
}

TEST_F(CachedGuards, FailuresAreNeverRemembered) {
  bench.open();
  for (const std::string name : {"/loop/x", "/thread/x"}) {
    asked = 0;
    behaviour = "throw";
    EXPECT_EQ(ask(name, "good").status(), 500);
    EXPECT_EQ(ask(name, "good").status(), 500);
    behaviour.clear();
    EXPECT_EQ(ask(name, "good").status(), 200);
    EXPECT_EQ(asked, 3);
  }
}

TEST_F(CachedGuards, APluginMayForbidOrShorten) {
  bench.open();
  for (const char* each : {"forbid", "cookie", "enumerate"}) {
    asked = 0;
    behaviour = each;
    EXPECT_EQ(ask("/loop/x", "good").status(), 200);
    EXPECT_EQ(ask("/loop/x", "good").status(), 200);
    EXPECT_EQ(asked, 2) << each;
  }
  asked = 0;
  behaviour = "shorten";
  EXPECT_EQ(ask("/loop/x", "good").status(), 200);
  EXPECT_EQ(ask("/loop/x", "good").status(), 200);
  EXPECT_EQ(asked, 1);
  bench.loop.advance(milliseconds(101));
  EXPECT_EQ(ask("/loop/x", "good").status(), 200);
  EXPECT_EQ(asked, 2);
}

TEST_F(CachedGuards, AVerdictThatIsForbiddenToBeRememberedHoldsNobodyUp) {
  bench.open();
  behaviour = "forbid";
  Bench::Wire& wire = send("/thread/x", "good", 1, 50);
  EXPECT_EQ(work.waiting(), 1U);  // Nothing was known.
  work.run_one();
  bench.loop.run_posted();
  EXPECT_EQ(work.waiting(), 49U);
  work.run_all(bench.loop);
  EXPECT_EQ(asked, 50);
  send("/thread/x", "good", 101, 50, &wire);
  EXPECT_EQ(work.waiting(), 50U);
  work.run_all(bench.loop);
  EXPECT_EQ(asked, 100);
}

TEST_F(CachedGuards, WhenTheFirstFailsTheNextIsAsked) {
  bench.open();
  ask("/thread/x", "good-to-know");
  asked = 0;
  Bench::Wire& wire = send("/thread/x", "good", 1, 10);
  behaviour = "throw";
  work.run_one();
  bench.loop.run_posted();
  EXPECT_EQ(wire.answer(1).status(), 500);
  EXPECT_EQ(work.waiting(), 1U);
  behaviour.clear();
  work.run_all(bench.loop);
  EXPECT_EQ(asked, 2);
  for (std::uint16_t id = 2; id <= 10; ++id) ASSERT_EQ(wire.answer(id).out, granted("good")) << id;
}

TEST_F(CachedGuards, WhenTheFirstGoesAwayTheNextIsAsked) {
  bench.open();
  ask("/thread/x", "good-to-know");
  asked = 0;
  Bench::Wire& first = send("/thread/x", "good", 1, 1);
  Bench::Wire& others = send("/thread/x", "good", 1, 3);
  first.end(true);
  EXPECT_TRUE(first.closed());
  bench.loop.run_posted();
  EXPECT_EQ(work.waiting(), 1U);
  // One that only waits may go as well.
  others.send(abort(2));
  EXPECT_EQ(others.answer(2).status(), 403);
  work.run_all(bench.loop);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(others.answer(1).out, granted("good"));
  EXPECT_EQ(others.answer(3).out, granted("good"));
  bench.disconnect();
  EXPECT_EQ(bench.environment().in_use(), 0U);
}

TEST_F(CachedGuards, WhoGoesAwayWithAllWhoWaitForHimLeavesNothing) {
  bench.open();
  Bench::Wire& wire = send("/thread/x", "good", 1, 20);
  wire.end(true);
  EXPECT_TRUE(wire.closed());
  work.run_all(bench.loop);
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(bench.environment().in_use(), 0U);
}

TEST_F(CachedGuards, WhatACancelledCallSaysIsNotRemembered) {
  bench.open();
  Bench::Wire& wire = send("/thread/x", "good", 1, 1);
  meanwhile = [&] { wire.end(true); };
  work.run_all(bench.loop);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(ask("/thread/x", "good").status(), 200);
  EXPECT_EQ(asked, 2);
}

TEST_F(CachedGuards, NobodyWaitsForAnotherLongerThanThePluginsTime) {
  bench.open();
  Bench::Wire& wire = send("/thread/x", "good", 1, 1);
  bench.loop.advance(milliseconds(1500));
  send("/thread/x", "good", 2, 1, &wire);
  EXPECT_EQ(work.waiting(), 1U);
  // The first is too late, and says so afterwards; who waits asks for himself.
  meanwhile = [&] {
    bench.loop.advance(milliseconds(501));
    EXPECT_EQ(wire.answer(1).status(), 504);
    EXPECT_EQ(wire.answer(2).ends, 0);
  };
  work.run_one();
  bench.loop.run_posted();
  EXPECT_EQ(work.waiting(), 1U);
  bench.loop.advance(milliseconds(1900));
  EXPECT_EQ(wire.answer(2).ends, 0);
  work.run_all(bench.loop);
  EXPECT_EQ(wire.answer(2).out, granted("good"));
  EXPECT_EQ(asked, 2);
}

TEST_F(CachedGuards, WhoHasWaitedItsTimeAsksBesideTheOther) {
  bench.open();
  ask("/thread/x", "good-to-know");
  // The first throws again and again; each of those who wait is asked in turn, until their time is over.
  Bench::Wire& wire = send("/thread/x", "good", 1, 4);
  behaviour = "throw";
  for (int i = 0; i < 2; ++i) {
    bench.loop.advance(milliseconds(1001));
    if (i == 0) {
      work.run_one();
      bench.loop.run_posted();
    }
  }
  // 1 has failed, 2 is asked, 3 and 4 have waited for two seconds.
  EXPECT_EQ(work.waiting(), 3U);
  behaviour.clear();
  work.run_all(bench.loop);
  for (std::uint16_t id = 2; id <= 4; ++id) EXPECT_EQ(wire.answer(id).status(), 200) << id;
}

TEST_F(CachedGuards, WhoIsToAskAndFindsTheQueueFullIsDenied) {
  bench.open();
  behaviour = "forbid";
  Bench::Wire& wire = send("/narrow/x", "good", 1, 5);
  work.run_one();
  bench.loop.run_posted();
  // One of the four is in the queue, which takes no more.
  EXPECT_EQ(wire.answer(2).ends, 0);
  for (std::uint16_t id = 3; id <= 5; ++id) EXPECT_EQ(wire.answer(id).status(), 503) << id;
  work.run_all(bench.loop);
  EXPECT_EQ(wire.answer(2).status(), 200);
}

TEST_F(CachedGuards, GetAndHeadAreApartWhereTheGuardLooks) {
  bench.open();
  behaviour = "method";
  EXPECT_EQ(ask("/loop/x", "good", {{"REQUEST_METHOD", "GET"}}).out, granted("good", "GET"));
  EXPECT_EQ(ask("/loop/x", "good", {{"REQUEST_METHOD", "HEAD"}}).out, granted("good", "HEAD"));
  EXPECT_EQ(ask("/loop/x", "good", {{"REQUEST_METHOD", "GET"}}).out, granted("good", "GET"));
  EXPECT_EQ(asked, 2);
}

TEST_F(CachedGuards, ARememberedDenialHasABodyForGetAndNoneForHead) {
  bench.open();
  EXPECT_EQ(ask("/loop/x", "bad", {{"REQUEST_METHOD", "HEAD"}}).body(), "");
  EXPECT_EQ(ask("/loop/x", "bad", {{"REQUEST_METHOD", "GET"}}).body(), "for bad");
  EXPECT_EQ(asked, 1);
}

TEST_F(CachedGuards, PhasesAndSteeringAreApartWhereTheGuardLooks) {
  bench.open();
  behaviour = "phase";
  EXPECT_EQ(ask("/loop/x", "good", {{"FCGI_APACHE_ROLE", "AUTHENTICATOR"}}).out, granted("good", "2"));
  EXPECT_EQ(ask("/loop/x", "good", {{"FCGI_APACHE_ROLE", "AUTHORIZER"}}).out, granted("good", "3"));
  EXPECT_EQ(ask("/loop/x", "good").out, granted("good", "0"));
  EXPECT_EQ(asked, 3);
  behaviour = "steering";
  EXPECT_EQ(ask("/other/x", "good", {{"TRIVET_DIALECT", "nginx"}}).out, granted("good", "nginx"));
  EXPECT_EQ(ask("/other/x", "good").out, granted("good", ""));
  EXPECT_EQ(asked, 5);
}

TEST_F(CachedGuards, AUserWhomTheGuardDoesNotSeeIsNotInTheKeyAndOneWhomItSeesIs) {
  bench.open();
  behaviour = "user";
  EXPECT_EQ(ask("/loop/x", "good", {{"REMOTE_USER", "forged"}}).out, granted("good", "<>"));
  EXPECT_EQ(ask("/loop/x", "good", {{"REMOTE_USER", "other"}}).out, granted("good", "<>"));
  EXPECT_EQ(asked, 1);
  const std::pair<std::string, std::string> apache{"FCGI_APACHE_ROLE", "AUTHORIZER"};
  EXPECT_EQ(ask("/loop/x", "good", {apache, {"REMOTE_USER", "ann"}}).out, granted("good", "<ann>"));
  EXPECT_EQ(ask("/loop/x", "good", {apache, {"REMOTE_USER", "bob"}}).out, granted("good", "<bob>"));
  EXPECT_EQ(asked, 3);
}

TEST_F(CachedGuards, GuardsOfARewrittenPathAreRememberedForTheRouteThatTheyAreAskedFor) {
  bench.open();
  // The guard of /other is asked for a request to /loop: the route that it sees is that one.
  behaviour = "phase";  // Looks at what the request is.
  EXPECT_EQ(ask("/other/x", "good").status(), 200);
  EXPECT_EQ(asked, 1);
  Bench::Wire& wire = bench.connect();
  wire.send(
      request("/loop/x", {.role = 2, .params = {{"HTTP_COOKIE", "good"}, {"SCRIPT_NAME", "/other/x"}}}));
  EXPECT_EQ(wire.answer().status(), 200);
  EXPECT_EQ(asked, 3);
}

TEST_F(CachedGuards, CountWhatWasRememberedAndWhatWasNot) {
  bench.open();
  process::PluginCounters counters;
  bench.find("loop")->count_in(counters);
  for (int i = 0; i < 5; ++i) (void)ask("/loop/x", "good");
  EXPECT_EQ(process::read(counters.remembered), 4U);
  EXPECT_EQ(process::read(counters.not_remembered), 1U);
  EXPECT_EQ(process::read(counters.calls), 1U);
}

// --- by chance ---

/// Reads what it reads because of what it has read; says all of it.
std::uint64_t nature = 0;
trivet::Verdict follow(trivet::Request& request) {
  ++asked;
  std::uint64_t state = nature;
  std::string trace;
  constexpr const char* names[] = {"REQUEST_URI", "HTTP_COOKIE",    "HTTP_A",
                                   "HTTP_B",      "REQUEST_METHOD", "HTTP_C"};
  for (int steps = 0; steps < 5; ++steps) {
    state = (state ^ (state >> 29U)) * 0x9e3779b97f4a7c15U + 1;
    const char* name = names[(state >> 33U) % std::size(names)];
    const auto value = request.find(name);
    trace += std::string(name) + (value ? "=" + std::string(*value) : "?") + ";";
    for (const char c : trace) state = state * 31 + static_cast<unsigned char>(c);
    if ((state >> 40U) % 4 == 0) break;
  }
  if ((state >> 50U) % 3 == 0) return trivet::deny(403).body(trace);
  return trivet::allow().set("REMOTE_USER", trace);
}
struct FollowOnLoop {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request& request) { return follow(request); }
};
struct FollowOnThread {
  trivet::Verdict check(trivet::Request& request) { return follow(request); }
};

TEST_F(CachedGuards, NeverAnswerForAnotherPathOrCookieWhateverAGuardReads) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  bench.add<FollowOnLoop>("follow");
  bench.add<FollowOnThread>("follow-t", 4, seconds(2), 1000);
  for (const char* name : {"follow", "follow-t"}) {
    add(std::string(name), name);
    // The same without a memory: what it would say.
    add(std::string(name) + "-asked", name).authorize.front().cache.reset();
  }
  bench.open();
  int sent = 0;
  for (int guards = 0; guards < 30; ++guards) {
    nature = random() * 0x9e3779b97f4a7c15U;
    bench.loop.advance(seconds(6));
    for (int rounds = 0; rounds < 20; ++rounds) {
      for (const std::string route : {"/follow", "/follow-t"}) {
        Bench::Wire& remembered = bench.connect();
        Bench::Wire& fresh = bench.connect();
        for (std::uint16_t id = 1; id <= 8; ++id) {
          Names names;
          for (const char* name : {"HTTP_COOKIE", "HTTP_A", "HTTP_B", "HTTP_C"}) {
            if (const auto what = random() % 3; what > 0)
              names.emplace_back(name, std::string(what - 1, 'v'));
          }
          // The path as the guard sees it is the same for both.
          names.emplace_back("REQUEST_URI", "/" + std::to_string(random() % 2));
          const auto ask_over = [&](Bench::Wire& wire, const std::string& name) {
            Names all = names;
            all.emplace_back("TRIVET_ROUTE", name);
            wire.send(request("/", {.id = id, .role = 2, .params = all}));
          };
          ask_over(remembered, route.substr(1));
          ask_over(fresh, route.substr(1) + "-asked");
          if (random() % 3 == 0) work.run_all(bench.loop);
        }
        work.run_all(bench.loop);
        for (std::uint16_t id = 1; id <= 8; ++id) {
          ASSERT_EQ(fresh.answer(id).ends, 1);
          ASSERT_EQ(remembered.answer(id).out, fresh.answer(id).out) << route << " guard " << guards;
        }
        sent += 16;
      }
      bench.disconnect();
    }
  }
  EXPECT_LT(asked, sent * 9 / 10);
}

}  // namespace
}  // namespace trivet::host::testing
