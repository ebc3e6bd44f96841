#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <tuple>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/manual_workers.hpp"
#include "tests/unit/host/test_plugins.hpp"

/// Guards of which all or any have to allow, those that may fail, and shadows.
namespace trivet::host::testing {
namespace {

using Kind = config::Guard::Kind;
using ::testing::HasSubstr;

// --- what guards say ---

struct AllowsA {
  static trivet::Verdict say() { return trivet::allow().set("A", "1"); }
};
struct AllowsB {
  static trivet::Verdict say() { return trivet::allow().set("B", "2"); }
};
struct AllowsOtherA {
  static trivet::Verdict say() { return trivet::allow().set("A", "9"); }
};
struct Forbids {
  static trivet::Verdict say() { return trivet::deny(403).body("forbidden").reason("on purpose"); }
};
struct Hides {
  static trivet::Verdict say() { return trivet::deny(404).body("hidden"); }
};
struct Challenges {
  static trivet::Verdict say() {
    return trivet::deny(401).header("WWW-Authenticate", "Basic").body("who are you?");
  }
};
struct Redirects {
  static trivet::Verdict say() { return trivet::deny(302).header("Location", "/login").body("there"); }
};
struct Throws {
  static trivet::Verdict say() { throw std::runtime_error("on purpose"); }
};
/// The denial is refused, so the hook fails: but it was about to deny.
struct DeniesBadly {
  static trivet::Verdict say() { return trivet::deny(401).header("WWW-Authenticate", "a\r\nb"); }
};
struct DeniesWith200 {
  static trivet::Verdict say() { return trivet::deny(200); }
};

std::function<void()> meanwhile;  // What happens while a guard runs on its thread.

template <class T>
struct OnLoop {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request&) { return T::say(); }
};
template <class T>
struct OnThread {
  trivet::Verdict check(trivet::Request& request) {
    if (meanwhile) std::exchange(meanwhile, {})();
    late = std::string(request.param("HTTP_X_LATE"));
    return T::say();
  }
  static inline std::string late;
};

config::Guard guard(const std::string& name) {
  config::Guard made;
  made.plugin = name;
  return made;
}
config::Guard group(Kind kind, std::vector<config::Guard> guards) {
  config::Guard made;
  made.kind = kind;
  made.guards = std::move(guards);
  return made;
}
config::Guard any(std::vector<config::Guard> guards) { return group(Kind::any, std::move(guards)); }
config::Guard all(std::vector<config::Guard> guards) { return group(Kind::all, std::move(guards)); }
config::Guard only_for(std::vector<std::string> methods, config::Guard of) {
  of.methods = std::move(methods);
  return of;
}
config::Guard shadow(config::Guard of) {
  of.shadow = true;
  return of;
}
config::Guard may_fail(config::Guard of) {
  of.allow_on_error = true;
  return of;
}

/// A guard in C that says nothing.
constexpr trivet_authorizer mute_hooks = {sizeof(trivet_authorizer),
                                          [](void*, trivet_request*) -> trivet_status { return TRIVET_OK; }};
constexpr trivet_plugin mute = {TRIVET_ABI_MAGIC,
                                sizeof(trivet_plugin),
                                TRIVET_ABI_MAJOR,
                                TRIVET_ABI_MINOR,
                                TRIVET_NEVER_BLOCKS,
                                {"mute", 4},
                                {"1", 1},
                                [](const trivet_host*, const trivet_settings*, void** self) -> trivet_status {
                                  *self = nullptr;
                                  return TRIVET_OK;
                                },
                                [](void*) {},
                                nullptr,
                                &mute_hooks,
                                nullptr};

class GuardGroups : public ::testing::Test {
 protected:
  GuardGroups() {
    meanwhile = {};
    bench.make_workers = work.maker();
    add<AllowsA>("allow-a");
    add<AllowsB>("allow-b");
    add<AllowsOtherA>("allow-other-a");
    add<Forbids>("forbid");
    add<Hides>("hide");
    add<Challenges>("challenge");
    add<Redirects>("redirect");
    add<Throws>("throw");
    add<DeniesBadly>("deny-badly");
    add<DeniesWith200>("deny-200");
    bench.add_entry("mute", mute, 0, std::nullopt, 1);
    bench.add<ShowParams>("params");
  }

  /// On the loop, and on a thread as NAME-t.
  template <class T>
  void add(const std::string& name) {
    bench.add<OnLoop<T>>(name);
    bench.add<OnThread<T>>(name + "-t", 1, std::chrono::milliseconds(500), 2);
  }

  config::Route& route(const std::string& name, std::vector<config::Guard> guards) {
    auto& added = bench.route(name, "/" + name);
    added.authorize = std::move(guards);
    added.variables = {"A", "B"};
    added.respond = "params";
    return added;
  }

  Answer ask(const std::string& name, std::uint16_t role = 2, const std::string& method = "GET") {
    Bench::Wire& wire = bench.connect();
    Ask with{.role = role};
    if (method.empty()) {
      with.without = {"REQUEST_METHOD"};
    } else {
      with.params.emplace_back("REQUEST_METHOD", method);
    }
    wire.send(request("/" + name, with));
    work.run_all(bench.loop);
    return wire.answer();
  }

  ManualWork work;
  Bench bench;
};

std::string granted(const std::string& a, const std::string& b) {
  return "Status: 200 OK\r\nVariable-A: " + a + "\r\nVariable-B: " + b + "\r\n\r\n";
}

TEST_F(GuardGroups, OfAnyTheFirstAllowEndsItAndOnlyItsVariablesCount) {
  route("first", {any({guard("allow-a"), guard("throw")})});
  route("second", {any({guard("forbid"), guard("allow-b")})});
  route("mixed", {any({all({guard("allow-a"), guard("forbid")}), guard("allow-b")})});
  bench.open();
  EXPECT_EQ(ask("first").out, granted("1", ""));
  EXPECT_EQ(ask("second").out, granted("", "2"));
  EXPECT_EQ(ask("mixed").out, granted("", "2"));
  EXPECT_FALSE(bench.log.contains("denied"));
}

TEST_F(GuardGroups, WhereNoneAllowsTheAnswerThatSaysHowToGetInGoesOutElseTheLast) {
  route("challenge", {any({guard("forbid"), guard("challenge"), guard("hide")})});
  route("redirect", {any({guard("redirect"), guard("challenge"), guard("hide")})});
  route("last", {any({guard("forbid"), guard("hide")})});
  route("failed", {any({guard("hide"), guard("throw")})});
  route("passed-over", {any({guard("throw"), guard("hide")})});
  bench.open();
  EXPECT_EQ(ask("challenge").status(), 401);
  EXPECT_EQ(ask("challenge").header("WWW-Authenticate"), "Basic");
  EXPECT_EQ(ask("challenge").body(), "who are you?");
  EXPECT_EQ(ask("redirect").status(), 302);
  EXPECT_EQ(ask("redirect").header("Location"), "/login");
  EXPECT_EQ(ask("last").body(), "hidden");
  EXPECT_EQ(ask("failed").status(), 500);
  EXPECT_EQ(ask("passed-over").status(), 404);
  EXPECT_TRUE(bench.log.contains("a guard failed, and others decide"));
}

TEST_F(GuardGroups, AChallengeInsideAGroupThatAllowedIsNoAnswer) {
  route("r", {any({guard("hide"), all({any({guard("challenge"), guard("allow-a")}), guard("forbid")})})});
  bench.open();
  EXPECT_EQ(ask("r").status(), 403);
  EXPECT_EQ(ask("r").body(), "forbidden");
}

TEST_F(GuardGroups, APreflightPassesAndWhatFollowsIsGuarded) {
  route("cors", {any({only_for({"OPTIONS"}, guard("allow")), guard("challenge")})});
  bench.open();
  for (const std::uint16_t role : {std::uint16_t{1}, std::uint16_t{2}}) {
    EXPECT_EQ(ask("cors", role, "OPTIONS").status(), 200);
    for (const char* method : {"GET", "POST", "HEAD", "options", "OPTIONSX", "PROPFIND"})
      EXPECT_EQ(ask("cors", role, method).status(), 401) << method;
  }
  EXPECT_EQ(ask("cors", 2, "").status(), 401);
}

TEST_F(GuardGroups, GetIncludesHead) {
  route("get", {only_for({"GET"}, guard("allow"))});
  route("head", {only_for({"HEAD"}, guard("allow"))});
  bench.open();
  EXPECT_EQ(ask("get", 2, "HEAD").status(), 200);
  EXPECT_EQ(ask("head", 2, "GET").status(), 403);
}

TEST_F(GuardGroups, TheMethodIsTheOneThatRoutesAreMatchedBy) {
  route("cors", {any({only_for({"OPTIONS"}, guard("allow")), guard("challenge")})});
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/cors", {.params = {{"TRIVET_METHOD", "OPTIONS"}, {"TRIVET_ROLE", "authorizer"}}}));
  EXPECT_EQ(wire.answer().status(), 200);
}

TEST_F(GuardGroups, WhereAllAreLeftOutNobodyIsLetIn) {
  route("none", {only_for({"POST"}, guard("allow")), only_for({"PUT"}, guard("allow-a"))});
  route("group", {guard("allow-a"), any({only_for({"POST"}, guard("allow"))})});
  route("whole-group", {only_for({"POST"}, all({guard("allow")}))});
  route("shadow-too", {shadow(guard("allow-a")), only_for({"POST"}, guard("allow"))});
  route("kept-answer", {any({guard("hide"), any({only_for({"POST"}, guard("allow"))})})});
  bench.open();
  for (const std::uint16_t role : {std::uint16_t{1}, std::uint16_t{2}}) {
    for (const char* name : {"none", "group", "whole-group", "shadow-too"}) {
      EXPECT_EQ(ask(name, role).status(), 403) << name;
      EXPECT_EQ(ask(name, role, "POST").status(), 200) << name;
    }
    EXPECT_EQ(ask("kept-answer", role).status(), 404);
  }
  EXPECT_TRUE(bench.log.contains("no guard is for the method"));
}

TEST_F(GuardGroups, ARequestWithoutAMethodPassesNoGuardThatIsForSome) {
  route("needs", {guard("allow-a"), only_for({"POST"}, guard("forbid"))});
  route("lets", {any({only_for({"OPTIONS"}, guard("allow")), guard("allow-b")})});
  bench.open();
  EXPECT_EQ(ask("needs", 2, "").status(), 403);
  EXPECT_EQ(ask("needs", 2, "GET").status(), 200);
  EXPECT_EQ(ask("lets", 2, "").out, granted("", "2"));
}

// --- on_error ---

TEST_F(GuardGroups, OnErrorAllowCoversAThrowATimeoutAndAFullQueue) {
  for (const std::string suffix : {"", "-t"}) route("throw" + suffix, {may_fail(guard("throw" + suffix))});
  route("slow", {may_fail(guard("allow-a-t")), guard("allow-b")});
  bench.open();
  EXPECT_EQ(ask("throw").out, granted("", ""));
  EXPECT_EQ(ask("throw-t").out, granted("", ""));
  EXPECT_EQ(bench.log.count("on_error lets the request go on"), 2U);

  Bench::Wire& wire = bench.connect();
  for (const std::uint16_t id : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{3}})
    wire.send(request("/slow", {.id = id, .role = 2}));
  EXPECT_EQ(wire.answer(3).out, granted("", "2"));  // The queue holds two.
  EXPECT_EQ(wire.answer(1).ends, 0);
  bench.loop.advance(std::chrono::milliseconds(501));
  EXPECT_EQ(wire.answer(1).out, granted("", "2"));
  EXPECT_EQ(wire.answer(2).out, granted("", "2"));
  EXPECT_EQ(work.waiting(), 0U);
}

TEST_F(GuardGroups, OnErrorAllowNeverCoversWhatIsNoFailureOfThePlugin) {
  route("deny", {may_fail(guard("forbid"))});
  route("deny-badly", {may_fail(guard("deny-badly"))});
  route("deny-badly-t", {may_fail(guard("deny-badly-t"))});
  route("deny-200", {may_fail(guard("deny-200"))});
  route("mute", {may_fail(guard("mute"))});
  route("suspended", {may_fail(guard("allow-a"))});
  bench.open();
  bench.find("allow-a")->suspend(true);
  for (const std::uint16_t role : {std::uint16_t{1}, std::uint16_t{2}}) {
    EXPECT_EQ(ask("deny", role).status(), 403);
    for (const char* name : {"deny-badly", "deny-badly-t", "deny-200", "mute", "suspended"})
      EXPECT_EQ(ask(name, role).status(), 500) << name;
  }
}

TEST_F(GuardGroups, ARequestThatWentOnWithoutAGuardDoesNotDisturbIt) {
  route("slow", {may_fail(guard("allow-a-t"))});
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/slow", {.params = {{"HTTP_X_LATE", "seen late"}, {"A", "forged"}}}));
  // While it runs its time is over, and the source has answered.
  meanwhile = [&] {
    bench.loop.advance(std::chrono::milliseconds(501));
    EXPECT_EQ(wire.answer().status(), 200);
    EXPECT_THAT(wire.answer().body(), ::testing::Not(HasSubstr("A=")));
    EXPECT_GT(bench.environment().in_use(), 0U);
  };
  work.run_all(bench.loop);
  EXPECT_EQ(OnThread<AllowsA>::late, "seen late");
  EXPECT_EQ(wire.answer().ends, 1);
  wire.end(true);
  EXPECT_EQ(bench.environment().in_use(), 0U);
}

TEST_F(GuardGroups, AnotherOfAnyIsAskedWhileOneThatIsTooLateStillRuns) {
  route("r", {any({guard("allow-a-t"), guard("allow-b-t")})});
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/r", {.role = 2}));
  meanwhile = [&] {
    bench.loop.advance(std::chrono::milliseconds(501));
    EXPECT_EQ(wire.answer().ends, 0);
  };
  work.run_all(bench.loop);
  // Not by the one that is late, whatever it said.
  EXPECT_EQ(wire.answer().out, granted("", "2"));
  EXPECT_EQ(wire.answer().ends, 1);
}

// --- shadows ---

TEST_F(GuardGroups, AShadowIsAskedToldAndCountedAndDecidesNothing) {
  route("r",
        {shadow(guard("forbid")), shadow(guard("allow-other-a")), guard("allow-a"), shadow(guard("throw"))});
  bench.open();
  process::PluginCounters forbids;
  process::PluginCounters allows;
  process::PluginCounters throws;
  process::PluginCounters decides;
  bench.find("forbid")->count_in(forbids);
  bench.find("allow-other-a")->count_in(allows);
  bench.find("throw")->count_in(throws);
  bench.find("allow-a")->count_in(decides);
  EXPECT_EQ(ask("r").out, granted("1", ""));
  for (const auto& [counters, allowed, denied] :
       {std::tuple(&forbids, 0U, 1U), {&allows, 1U, 0U}, {&throws, 0U, 1U}, {&decides, 0U, 0U}}) {
    EXPECT_EQ(process::read(counters->shadow_allows), allowed);
    EXPECT_EQ(process::read(counters->shadow_denies), denied);
  }
  EXPECT_EQ(bench.log.count("a shadow guard would deny"), 2U);
  EXPECT_EQ(bench.log.count("a shadow guard would allow"), 1U);
  EXPECT_TRUE(bench.log.contains("on purpose"));
  EXPECT_EQ(ask("r", 1).status(), 200);
}

TEST_F(GuardGroups, AShadowGroupIsOneShadow) {
  route("r", {shadow(any({guard("forbid"), guard("hide")})), guard("allow-b"),
              shadow(all({guard("allow-a"), guard("allow-other-a")}))});
  bench.open();
  EXPECT_EQ(ask("r").out, granted("", "2"));
  EXPECT_EQ(bench.log.count("a shadow guard would deny"), 1U);
}

TEST_F(GuardGroups, ARouteOfShadowsIsOpenForResponsesAndGrantsNoAuthorizer) {
  route("r", {shadow(guard("forbid"))});
  route("nested", {all({shadow(guard("allow-a"))}), shadow(any({guard("allow-b")}))});
  bench.open();
  for (const char* name : {"r", "nested"}) {
    EXPECT_EQ(ask(name, 1).status(), 200) << name;
    EXPECT_EQ(ask(name, 2).status(), 403) << name;
    Bench::Wire& wire = bench.connect();
    wire.send(request(std::string("/") + name, {.params = {{"TRIVET_ROLE", "authorizer"}}}));
    EXPECT_EQ(wire.answer().status(), 403) << name;
  }
  EXPECT_EQ(bench.log.count("every guard of the route is a shadow"), 6U);  // Two errors, four refusals.
}

TEST_F(GuardGroups, AnEmptyGroupLetsNobodyIn) {
  route("any", {any({})});
  route("all", {all({})});
  bench.open();
  for (const char* name : {"any", "all"}) {
    EXPECT_EQ(ask(name, 1).status(), 403) << name;
    EXPECT_EQ(ask(name, 2).status(), 403) << name;
  }
}

TEST_F(GuardGroups, GuardsOfARewrittenPathComeFirstAndAllOfBothCount) {
  route("r", {guard("allow-b")});
  route("secret", {any({guard("challenge"), guard("forbid")})});
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/r", {.role = 2, .params = {{"SCRIPT_NAME", "/secret"}}}));
  EXPECT_EQ(wire.answer().status(), 401);
}

TEST_F(GuardGroups, EveryDenyIsToldInOneLine) {
  route("r", {any({guard("forbid"), guard("challenge")})});
  bench.open();
  EXPECT_EQ(ask("r").status(), 401);
  EXPECT_EQ(bench.log.count("denied"), 1U);
  EXPECT_TRUE(bench.log.contains("challenge"));
}

// --- any tree, against a reading of the rules that shares nothing with the host ---

struct Expected {
  int status = 0;
  std::string body;
  bool says_how = false;
  bool is_empty = false;
};
using Variables = std::map<std::string, std::string>;

struct Leaf {
  const char* name;
  int status;  ///< 200: allows.
  const char* variable;
  const char* value;
  const char* body;
  bool is_excusable;
};
constexpr Leaf leaves[] = {
    {"allow", 200, "", "", "", false},
    {"deny", 403, "", "", "403 Forbidden\n", false},
    {"allow-a", 200, "A", "1", "", false},
    {"allow-b", 200, "B", "2", "", false},
    {"forbid", 403, "", "", "forbidden", false},
    {"hide", 404, "", "", "hidden", false},
    {"challenge", 401, "", "", "who are you?", false},
    {"redirect", 302, "", "", "there", false},
    {"throw", 500, "", "", "500 Internal Server Error\n", true},
    {"deny-badly", 500, "", "", "500 Internal Server Error\n", false},
    {"allow-other-a", 200, "A", "9", "", false},
};

struct Contradiction {};

class Reference {
 public:
  explicit Reference(std::string method) : method_(std::move(method)) {}

  /// Nothing: whoever reads the answer is to act as if the guard were not there.
  std::optional<Expected> judge(const config::Guard& guard, Variables& variables, bool in_shadow) {
    if (!guard.methods.empty()) {
      if (method_.empty())
        return guard.shadow ? std::nullopt : std::optional(Expected{403, "403 Forbidden\n"});
      bool fits = false;
      for (const std::string& each : guard.methods)
        fits = fits || each == method_ || (each == "GET" && method_ == "HEAD");
      if (!fits) return std::nullopt;
    }
    const bool shadow = in_shadow || guard.shadow;
    const Variables before = variables;
    std::optional<Expected> said;
    if (guard.kind == Kind::all || guard.kind == Kind::any) {
      said = judge_group(guard.guards, guard.kind == Kind::any, variables, shadow);
    } else {
      said = judge_leaf(guard, variables, shadow);
    }
    if (!said || said->status != 200) variables = before;
    return guard.shadow ? std::nullopt : said;
  }

  std::optional<Expected> judge_group(const std::vector<config::Guard>& guards, bool is_any,
                                      Variables& variables, bool shadow) {
    std::vector<Expected> denials;
    bool asked = false;
    for (const config::Guard& each : guards) {
      const auto said = judge(each, variables, shadow);
      if (!said) continue;
      asked = true;
      if (said->status == 200 && is_any) return said;
      if (said->status != 200 && !is_any) return said;
      if (said->status != 200) denials.push_back(*said);
    }
    if (!asked) {
      if (!decides(guards)) return std::nullopt;
      return Expected{403, "403 Forbidden\n", false, true};
    }
    if (!is_any) return Expected{200, ""};
    for (const Expected& each : denials) {
      if (each.says_how) return each;
    }
    for (auto each = denials.rbegin(); each != denials.rend(); ++each) {
      if (!each->is_empty) return *each;
    }
    return denials.back();
  }

 private:
  static bool decides(const std::vector<config::Guard>& guards) {
    for (const config::Guard& each : guards) {
      if (each.shadow) continue;
      if (each.guards.empty() || decides(each.guards)) return true;
    }
    return false;
  }

  static std::optional<Expected> judge_leaf(const config::Guard& guard, Variables& variables, bool shadow) {
    std::string name = guard.plugin;
    if (name.ends_with("-t")) name.resize(name.size() - 2);
    for (const Leaf& each : leaves) {
      if (name != each.name) continue;
      if (each.is_excusable && guard.allow_on_error) return Expected{200, ""};
      if (each.status == 200 && each.variable[0] != '\0' && !shadow) {
        const auto [at, is_new] = variables.emplace(each.variable, each.value);
        if (!is_new && at->second != each.value) throw Contradiction();
      }
      return Expected{each.status, each.body, each.status == 401 || each.status == 302};
    }
    throw std::logic_error("no such leaf: " + name);
  }

  std::string method_;
};

class Trees {
 public:
  explicit Trees(unsigned seed) : random_(seed) {}

  config::Guard guard(int depth) {
    config::Guard made;
    if (depth > 0 && one_in(2)) {
      made.kind = one_in(2) ? Kind::any : Kind::all;
      made.guards = list(depth - 1);
    } else {
      const Leaf& leaf = leaves[random_() % std::size(leaves)];
      made.plugin = leaf.name;
      const bool is_built_in = made.plugin == "allow" || made.plugin == "deny";
      if (!is_built_in && one_in(2)) made.plugin += "-t";
      made.allow_on_error = !is_built_in && one_in(3);
    }
    made.shadow = one_in(6);
    if (one_in(4))
      made.methods = one_in(2) ? std::vector<std::string>{"GET"} : std::vector<std::string>{"POST", "PUT"};
    return made;
  }
  std::vector<config::Guard> list(int depth) {
    std::vector<config::Guard> made;
    for (auto count = 1 + random_() % 3; count > 0; --count) made.push_back(guard(depth));
    return made;
  }

 private:
  bool one_in(unsigned n) { return random_() % n == 0; }
  std::mt19937 random_;
};

TEST_F(GuardGroups, AnyTreeIsJudgedAsTheRulesSay) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Trees trees(seed);
  std::vector<std::vector<config::Guard>> lists;
  constexpr std::size_t routes = 400;
  for (std::size_t i = 0; i < routes; ++i) lists.push_back(trees.list(3));
  for (std::size_t i = 0; i < routes; ++i) route("t" + std::to_string(i), lists[i]);
  bench.open();
  std::map<int, int> seen;
  for (std::size_t i = 0; i < routes; ++i) {
    for (const char* method : {"GET", "HEAD", "PUT", "OPTIONS", ""}) {
      Expected expected{500, "500 Internal Server Error\n"};
      Variables variables;
      try {
        const auto said = Reference(method).judge_group(lists[i], false, variables, false);
        // Nothing that decides: an authorizer is not granted by that.
        expected = said.value_or(Expected{403, "403 Forbidden\n"});
      } catch (const Contradiction&) {
      }
      const Answer answer = ask("t" + std::to_string(i), 2, method);
      ASSERT_EQ(answer.status(), expected.status) << "tree " << i << " " << method;
      ++seen[expected.status];
      if (expected.status == 200) {
        ASSERT_EQ(answer.out, granted(variables["A"], variables["B"])) << "tree " << i << " " << method;
      } else if (std::string_view(method) != "HEAD") {
        ASSERT_EQ(answer.body(), expected.body) << "tree " << i << " " << method;
      }
      ASSERT_EQ(answer.ends, 1);
    }
  }
  bench.disconnect();
  EXPECT_EQ(bench.environment().in_use(), 0U);
  for (const int status : {200, 302, 401, 403, 404, 500}) EXPECT_GT(seen[status], 10) << status;
}

}  // namespace
}  // namespace trivet::host::testing
