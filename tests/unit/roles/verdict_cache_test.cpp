#include "runtime/roles/verdict_cache.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace trivet::roles {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class StillLoop final : public base::Loop {
 public:
  [[nodiscard]] base::TimePoint now() const noexcept override { return time; }
  base::TimerQueue& timers() noexcept override { return timers_; }
  void post(base::Task& task) noexcept override { tasks_.push(task); }
  void run() {
    while (base::Task* task = tasks_.pop()) task->run();
  }
  base::TimePoint time = base::TimePoint{} + std::chrono::hours(1);

 private:
  base::TimerQueue timers_;
  base::TaskList tasks_;
};

using Values = std::map<std::string, std::string>;

class VerdictCaches : public ::testing::Test {
 protected:
  /// What a request says.
  CallFacts facts(const Values& values) {
    params_.reset();
    values_ = values;
    for (const auto& [name, value] : values_) params_.add(name, value);
    EXPECT_FALSE(params_.settle());
    CallFacts made;
    made.params = &params_;
    made.loop = &loop;
    made.route = "route";
    return made;
  }
  static GuardReads reads(const std::vector<std::string>& names) {
    GuardReads made;
    for (const std::string& each : names) made.param(each);
    return made;
  }
  static cgi::Verdict allow(const std::string& user = "ann") {
    cgi::Verdict verdict;
    EXPECT_TRUE(verdict.set_variable("REMOTE_USER", user).empty());
    EXPECT_TRUE(verdict.allow().empty());
    return verdict;
  }
  static cgi::Verdict deny(int status = 403) {
    cgi::Verdict verdict;
    EXPECT_TRUE(verdict.deny(status).empty());
    return verdict;
  }
  bool remember(const std::vector<std::string>& names, const Values& values, const cgi::Verdict& verdict,
                std::uint64_t lifetime = UINT64_MAX) {
    return cache->remember(reads(names), facts(values), verdict, "why", lifetime, loop.now());
  }
  /// The user that is remembered, "-" for a deny, nothing.
  std::optional<std::string> find(const Values& values) { return find(facts(values)); }
  std::optional<std::string> find(const CallFacts& facts) {
    cgi::Verdict verdict;
    std::string reason;
    if (!cache->find(facts, keys, verdict, reason)) return std::nullopt;
    EXPECT_EQ(reason, "why");
    if (verdict.decision() == cgi::Verdict::Decision::deny) return "-";
    EXPECT_EQ(verdict.decision(), cgi::Verdict::Decision::allow);
    return verdict.find_variable("REMOTE_USER")->value;
  }
  void configure(const config::VerdictCache& settings) {
    cache = std::make_unique<VerdictCache>(settings, VerdictCache::Seed{1, 2, 3, 4});
  }

  StillLoop loop;
  VerdictCache::Keys keys;
  std::unique_ptr<VerdictCache> cache =
      std::make_unique<VerdictCache>(config::VerdictCache{}, VerdictCache::Seed{1, 2, 3, 4});

 private:
  Values values_;
  cgi::Params params_;
};

TEST_F(VerdictCaches, AnswerRequestsThatAreAlikeInAllThatWasRead) {
  ASSERT_TRUE(remember({"COOKIE", "PATH"}, {{"COOKIE", "c"}, {"PATH", "/a"}, {"PORT", "1"}}, allow()));
  EXPECT_EQ(find({{"PORT", "2"}, {"PATH", "/a"}, {"COOKIE", "c"}}), "ann");
  EXPECT_EQ(find({{"COOKIE", "c"}, {"PATH", "/b"}, {"PORT", "1"}}), std::nullopt);
  EXPECT_EQ(find({{"COOKIE", "d"}, {"PATH", "/a"}, {"PORT", "1"}}), std::nullopt);
  EXPECT_EQ(find({{"PATH", "/a"}, {"PORT", "1"}}), std::nullopt);
}

TEST_F(VerdictCaches, TakeAbsentForSomethingElseThanEmpty) {
  ASSERT_TRUE(remember({"COOKIE"}, {{"COOKIE", ""}}, allow("empty")));
  EXPECT_EQ(find(Values{}), std::nullopt);
  ASSERT_TRUE(remember({"COOKIE"}, {}, allow("absent")));
  EXPECT_EQ(find(Values{}), "absent");
  EXPECT_EQ(find({{"COOKIE", ""}}), "empty");
}

TEST_F(VerdictCaches, DoNotLetValuesRunIntoOneAnother) {
  ASSERT_TRUE(remember({"A", "B"}, {{"A", "xy"}, {"B", ""}}, allow()));
  EXPECT_EQ(find({{"A", "x"}, {"B", "y"}}), std::nullopt);
  EXPECT_EQ(find({{"A", ""}, {"B", "xy"}}), std::nullopt);
  ASSERT_TRUE(remember({"AB"}, {{"AB", "x"}}, allow("other")));
  EXPECT_EQ(find({{"A", "x"}, {"B", "x"}}), std::nullopt);
}

TEST_F(VerdictCaches, KnowGuardsThatReadMoreOfSomeRequests) {
  ASSERT_TRUE(remember({"METHOD"}, {{"METHOD", "OPTIONS"}}, allow("anybody")));
  ASSERT_TRUE(remember({"METHOD", "COOKIE"}, {{"METHOD", "GET"}, {"COOKIE", "c"}}, allow("ann")));
  EXPECT_EQ(find({{"METHOD", "OPTIONS"}, {"COOKIE", "whatever"}}), "anybody");
  EXPECT_EQ(find({{"METHOD", "GET"}, {"COOKIE", "c"}}), "ann");
  EXPECT_EQ(find({{"METHOD", "GET"}, {"COOKIE", "d"}}), std::nullopt);
  EXPECT_EQ(find({{"METHOD", "HEAD"}, {"COOKIE", "c"}}), std::nullopt);
}

TEST_F(VerdictCaches, KeepWhatTheRequestIsApartOnceItWasAskedFor) {
  GuardReads asked = reads({"COOKIE"});
  asked.info();
  const Values values = {{"COOKIE", "c"}};
  ASSERT_TRUE(cache->remember(asked, facts(values), allow(), "why", UINT64_MAX, loop.now()));
  EXPECT_EQ(find(values), "ann");
  CallFacts other = facts(values);
  other.phase = TRIVET_PHASE_AUTHENTICATOR;
  EXPECT_EQ(find(other), std::nullopt);
  other = facts(values);
  other.content_length = 5;
  EXPECT_EQ(find(other), std::nullopt);
  other = facts(values);
  other.data_length = 5;
  EXPECT_EQ(find(other), std::nullopt);
  other = facts(values);
  other.route = "another";
  EXPECT_EQ(find(other), std::nullopt);
  other = facts(values);
  other.number = 77;
  other.request_id = "another";
  EXPECT_EQ(find(other), "ann");
}

TEST_F(VerdictCaches, ForgetAllowsAndDeniesEachInTheirTime) {
  ASSERT_TRUE(remember({"C"}, {{"C", "good"}}, allow()));
  ASSERT_TRUE(remember({"C"}, {{"C", "bad"}}, deny()));
  loop.time += milliseconds(999);
  EXPECT_EQ(find({{"C", "bad"}}), "-");
  loop.time += milliseconds(1);
  EXPECT_EQ(find({{"C", "bad"}}), std::nullopt);
  EXPECT_EQ(cache->denies(), 0U);
  loop.time += milliseconds(3999);
  EXPECT_EQ(find({{"C", "good"}}), "ann");
  loop.time += milliseconds(1);
  EXPECT_EQ(find({{"C", "good"}}), std::nullopt);
  EXPECT_EQ(cache->bytes(), 0U);
}

TEST_F(VerdictCaches, CountTheTimeFromWhenTheGuardWasAsked) {
  const base::TimePoint asked = loop.now();
  loop.time += milliseconds(3000);
  EXPECT_TRUE(cache->remember(reads({"C"}), facts({{"C", "slow"}}), allow(), "why", UINT64_MAX, asked));
  EXPECT_FALSE(cache->remember(reads({"C"}), facts({{"C", "bad"}}), deny(), "why", UINT64_MAX, asked));
  loop.time += milliseconds(1999);
  EXPECT_EQ(find({{"C", "slow"}}), "ann");
  loop.time += milliseconds(1);
  EXPECT_EQ(find({{"C", "slow"}}), std::nullopt);
}

TEST_F(VerdictCaches, KeepAVerdictForLessTimeIfItSaysSoAndNeverForMore) {
  const auto nanoseconds = [](std::chrono::nanoseconds time) {
    return static_cast<std::uint64_t>(time.count());
  };
  EXPECT_FALSE(remember({"C"}, {{"C", "none"}}, allow(), 0));
  ASSERT_TRUE(remember({"C"}, {{"C", "short"}}, allow(), nanoseconds(seconds(2))));
  ASSERT_TRUE(remember({"C"}, {{"C", "long"}}, allow(), nanoseconds(std::chrono::hours(9))));
  loop.time += seconds(2);
  EXPECT_EQ(find({{"C", "none"}}), std::nullopt);
  EXPECT_EQ(find({{"C", "short"}}), std::nullopt);
  EXPECT_EQ(find({{"C", "long"}}), "ann");
  loop.time += seconds(3);
  EXPECT_EQ(find({{"C", "long"}}), std::nullopt);
}

TEST_F(VerdictCaches, KeepNothingThatIsNotForOthers) {
  GuardReads everything = reads({"C"});
  everything.everything();
  EXPECT_FALSE(cache->remember(everything, facts({{"C", "c"}}), allow(), "why", UINT64_MAX, loop.now()));
  cgi::Verdict cookie = allow();
  ASSERT_TRUE(cookie.head().add("set-cookie", "a=b").empty());
  EXPECT_FALSE(remember({"C"}, {{"C", "c"}}, cookie));
  EXPECT_FALSE(remember({"C"}, {{"C", "c"}}, cgi::Verdict()));
  std::vector<std::string> many;
  for (std::size_t i = 0; i <= GuardReads::most; ++i) many.push_back("P" + std::to_string(i));
  EXPECT_FALSE(remember(many, {{"P0", "c"}}, allow()));
  EXPECT_FALSE(remember({std::string(GuardReads::longest_name + 1, 'N')}, {}, allow()));
  EXPECT_EQ(cache->allows(), 0U);
}

TEST_F(VerdictCaches, WithATimeOfZeroKeepNoneOfThatKind) {
  config::VerdictCache settings;
  settings.deny_ttl = milliseconds(0);
  configure(settings);
  EXPECT_FALSE(remember({"C"}, {{"C", "bad"}}, deny()));
  EXPECT_TRUE(remember({"C"}, {{"C", "good"}}, allow()));
}

TEST_F(VerdictCaches, AreBoundedInEntriesOfEachKind) {
  config::VerdictCache settings;
  settings.entries = 3;
  configure(settings);
  ASSERT_TRUE(remember({"C"}, {{"C", "good"}}, allow()));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(remember({"C"}, {{"C", std::to_string(i)}}, deny()));
  EXPECT_EQ(cache->denies(), 3U);
  EXPECT_EQ(find({{"C", "good"}}), "ann");
  EXPECT_EQ(find({{"C", "96"}}), std::nullopt);
  EXPECT_EQ(find({{"C", "97"}}), "-");
  // It was used last, so another one goes.
  ASSERT_TRUE(remember({"C"}, {{"C", "next"}}, deny()));
  EXPECT_EQ(find({{"C", "97"}}), "-");
  EXPECT_EQ(find({{"C", "98"}}), std::nullopt);
  // The same again takes no place of another.
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(remember({"C"}, {{"C", "next"}}, deny()));
  EXPECT_EQ(find({{"C", "97"}}), "-");
}

TEST_F(VerdictCaches, AreBoundedInBytes) {
  config::VerdictCache settings;
  settings.entries = 100;
  configure(settings);
  const auto large = [](std::size_t size) {
    cgi::Verdict verdict = deny();
    verdict.body().append(std::string(size, 'x'));
    return verdict;
  };
  EXPECT_FALSE(remember({"C"}, {{"C", "huge"}}, large(VerdictCache::largest_verdict)));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(remember({"C"}, {{"C", std::to_string(i)}}, large(10000)));
  EXPECT_LE(cache->bytes(), 100 * VerdictCache::average_verdict);
  EXPECT_EQ(cache->denies(), 10U);
  EXPECT_EQ(find({{"C", "99"}}), "-");
  EXPECT_EQ(find({{"C", "89"}}), std::nullopt);
}

TEST_F(VerdictCaches, KeepNothingForValuesThatAreTooLong) {
  const std::string longest(VerdictCache::most_read, 'v');
  EXPECT_FALSE(remember({"A", "B"}, {{"A", longest}, {"B", "v"}}, allow()));
  EXPECT_TRUE(remember({"A"}, {{"A", longest}}, allow()));
  EXPECT_EQ(find({{"A", longest}}), "ann");
  EXPECT_EQ(find({{"A", longest + "v"}}), std::nullopt);
  EXPECT_FALSE(keys.is_comparable);
}

TEST_F(VerdictCaches, AddTheConfiguredNamesToTheKey) {
  config::VerdictCache settings;
  settings.key = {"REMOTE_ADDR", "C"};
  configure(settings);
  ASSERT_TRUE(remember({"C"}, {{"C", "c"}, {"REMOTE_ADDR", "1"}}, allow()));
  EXPECT_EQ(find({{"C", "c"}, {"REMOTE_ADDR", "1"}}), "ann");
  EXPECT_EQ(find({{"C", "c"}, {"REMOTE_ADDR", "2"}}), std::nullopt);
  EXPECT_EQ(find({{"C", "c"}}), std::nullopt);
}

TEST_F(VerdictCaches, GiveTheWholeVerdictBack) {
  cgi::Verdict verdict;
  ASSERT_TRUE(verdict.set_variable("A", "").empty());
  ASSERT_TRUE(verdict.set_variable("B", "b").empty());
  ASSERT_TRUE(verdict.head().add("WWW-Authenticate", "Basic").empty());
  ASSERT_TRUE(verdict.head().add("WWW-Authenticate", "Bearer").empty());
  verdict.body().append("a\0b");
  ASSERT_TRUE(verdict.deny(401).empty());
  ASSERT_TRUE(remember({"C"}, {}, verdict));
  cgi::Verdict found = allow("somebody else");
  found.body().append("old");
  std::string reason = "old";
  ASSERT_TRUE(cache->find(facts({}), keys, found, reason));
  EXPECT_EQ(found.decision(), cgi::Verdict::Decision::deny);
  EXPECT_EQ(found.head().status(), 401);
  ASSERT_EQ(found.head().size(), 2U);
  EXPECT_EQ(found.head().at(0).value, "Basic");
  EXPECT_EQ(found.head().at(1).value, "Bearer");
  EXPECT_EQ(base::as_text(found.body().bytes()), base::as_text(verdict.body().bytes()));
  ASSERT_EQ(found.variables(), 2U);
  EXPECT_EQ(found.variable(0).value, "");
  EXPECT_EQ(found.variable(1).value, "b");
  EXPECT_EQ(reason, "why");
}

/// A guard made by chance: which parameter it reads next depends on what it has read, and what it says in the
/// end on all of it.
class RandomGuard {
 public:
  explicit RandomGuard(unsigned seed) : seed_(seed) {}

  /// `user` is all that it read; a third of the answers are denials.
  cgi::Verdict ask(const Values& values, GuardReads& reads, std::string& user) const {
    std::uint64_t state = seed_;
    user.clear();
    for (int steps = 0; steps < 4; ++steps) {
      state = mixed(state);
      const std::string name(1, static_cast<char>('A' + state % 5));
      reads.param(name);
      const auto found = values.find(name);
      const std::string value = found == values.end() ? "absent" : "=" + found->second;
      user += name + value + ";";
      for (const char c : value) state = mixed(state ^ static_cast<unsigned char>(c));
      if (state % 3 == 0) break;
    }
    cgi::Verdict verdict;
    if (state % 3 == 1) {
      user = "-";
      (void)verdict.deny(403);
    } else {
      (void)verdict.set_variable("REMOTE_USER", user);
      (void)verdict.allow();
    }
    return verdict;
  }

 private:
  static std::uint64_t mixed(std::uint64_t state) {
    state += 0x9e3779b97f4a7c15U;
    state = (state ^ (state >> 30U)) * 0xbf58476d1ce4e5b9U;
    return state ^ (state >> 31U);
  }
  std::uint64_t seed_;
};

TEST_F(VerdictCaches, NeverAnswerOtherwiseThanTheGuardWould) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::size_t hits = 0;
  for (int guards = 0; guards < 60; ++guards) {
    config::VerdictCache settings;
    settings.entries = static_cast<std::uint32_t>(1 + random() % 60);
    configure(settings);
    const RandomGuard guard(static_cast<unsigned>(random()));
    for (int requests = 0; requests < 400; ++requests) {
      Values values;
      for (const char* name : {"A", "B", "C", "D", "E"}) {
        if (const auto what = random() % 4; what > 0) values[name] = std::string(what - 1, 'v');
      }
      GuardReads read;
      std::string user;
      const cgi::Verdict verdict = guard.ask(values, read, user);
      if (const auto found = find(values)) {
        ++hits;
        ASSERT_EQ(*found, user);
      } else {
        EXPECT_TRUE(cache->remember(read, facts(values), verdict, "why", UINT64_MAX, loop.now()));
      }
      ASSERT_LE(cache->allows(), settings.entries);
      ASSERT_LE(cache->denies(), settings.entries);
      loop.time += milliseconds(static_cast<int>(random() % 20));
    }
  }
  EXPECT_GT(hits, 3000U);
}

// --- who waits for whom ---

struct Asking final : VerdictCache::Caller {
  void on_call_over(bool may) override {
    ++told;
    may_join = may;
    if (then) then();
  }
  int told = 0;
  bool may_join = false;
  std::function<void()> then;
};

class Waiting : public VerdictCaches {
 protected:
  VerdictCache::Keys keys_of(const Values& values) {
    EXPECT_EQ(find(values), std::nullopt);
    return keys;
  }
  /// After one call the cache knows what is read.
  void learn() {
    ASSERT_TRUE(remember({"C"}, {{"C", "learnt"}}, allow()));
    cache->end(first, VerdictCache::Fate::remembered, loop);
  }
  Asking first;
  Asking second;
  Asking third;
};

TEST_F(Waiting, WhoAsksTheSameWaitsAndIsToldInTurn) {
  learn();
  EXPECT_FALSE(cache->join(keys_of({{"C", "c"}}), second, true));
  cache->lead(keys, first);
  EXPECT_TRUE(cache->join(keys_of({{"C", "c"}, {"D", "d"}}), second, false));
  EXPECT_FALSE(cache->join(keys_of({{"C", "other"}}), third, true));
  EXPECT_TRUE(cache->join(keys_of({{"C", "c"}}), third, true));
  std::string order;
  second.then = [&] { order += "2"; };
  third.then = [&] { order += "3"; };
  cache->end(first, VerdictCache::Fate::remembered, loop);
  EXPECT_EQ(order, "");  // Never from inside what ended it.
  loop.run();
  EXPECT_EQ(order, "23");
  EXPECT_TRUE(second.may_join);
  loop.run();
  EXPECT_EQ(second.told, 1);
}

TEST_F(Waiting, WhoLeavesIsNotToldWhereverHeWaits) {
  learn();
  cache->lead(keys_of({{"C", "c"}}), first);
  ASSERT_TRUE(cache->join(keys, second, true));
  ASSERT_TRUE(cache->join(keys, third, true));
  VerdictCache::leave(second);
  VerdictCache::leave(second);
  cache->end(first, VerdictCache::Fate::failed, loop);
  VerdictCache::leave(third);
  loop.run();
  EXPECT_EQ(second.told + third.told, 0);
}

TEST_F(Waiting, AVerdictThatIsNotForOthersLetsAllAskAtOnce) {
  learn();
  cache->lead(keys_of({{"C", "c"}}), first);
  ASSERT_TRUE(cache->join(keys, second, true));
  cache->end(first, VerdictCache::Fate::not_remembered, loop);
  loop.run();
  EXPECT_EQ(second.told, 1);
  EXPECT_FALSE(second.may_join);
}

TEST_F(Waiting, WhatIsReadMoreByOthersKeepsThemApart) {
  learn();
  ASSERT_TRUE(remember({"C", "D"}, {{"C", "more"}, {"D", "d"}}, allow()));
  cache->lead(keys_of({{"C", "c"}, {"D", "1"}}), first);
  EXPECT_FALSE(cache->join(keys_of({{"C", "c"}, {"D", "2"}}), second, true));
  EXPECT_TRUE(cache->join(keys_of({{"C", "c"}, {"D", "1"}}), second, true));
  VerdictCache::leave(second);
}

TEST_F(Waiting, TheFirstCallOfAllIsWaitedForByEverybodyOnce) {
  cache->lead(keys_of({{"C", "c"}}), first);
  EXPECT_FALSE(cache->join(keys_of({{"C", "d"}}), second, false));  // It might never end.
  EXPECT_TRUE(cache->join(keys_of({{"C", "d"}}), second, true));
  cache->end(first, VerdictCache::Fate::failed, loop);
  loop.run();
  EXPECT_EQ(second.told, 1);
  cache->lead(keys_of({{"C", "d"}}), second);
  EXPECT_FALSE(cache->join(keys_of({{"C", "d"}}), third, true));
  cache->end(second, VerdictCache::Fate::failed, loop);
}

}  // namespace
}  // namespace trivet::roles
