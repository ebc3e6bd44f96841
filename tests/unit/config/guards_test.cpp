#include "runtime/config/guards.hpp"

#include <gmock/gmock.h>

#include "runtime/config/load.hpp"
#include "tests/unit/config/folder.hpp"

/// Guards that are read as they were meant.
namespace trivet::config {
namespace {

using Kind = Guard::Kind;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

/// The guards of a route with this `authorize`; what is told of it in `told`.
std::vector<Guard> guards_of(const std::string& authorize, std::string* told = nullptr) {
  const Loader loader;
  const std::string text =
      whole("[plugin.guard]\n[plugin.other]\n[plugin.wrap]\n[[route]]\npath = \"/guarded\"\n" + authorize +
            "\n[[route]]\npath = \"/all\"\nauthorize = [\"guard\", \"other\", \"wrap\"]\n");
  const Loaded loaded = loader.load(text);
  if (told != nullptr) {
    *told = loader.told(text);
  } else {
    EXPECT_EQ(loader.told(text), "0 errors, 0 warnings\n") << authorize;
  }
  return loaded.config ? loaded.config->routes.front().authorize : std::vector<Guard>();
}

TEST(ReadingGuards, ANameAndATableWithItAreTheSame) {
  for (const char* each :
       {"authorize = \"guard\"", "authorize = [\"guard\"]", "authorize = { plugin = \"guard\" }",
        "[route.authorize]\nplugin = \"guard\"", "[[route.authorize]]\nplugin = \"guard\"",
        "authorize = { plugin = \"guard\", on_error = \"deny\", shadow = false }"}) {
    const auto guards = guards_of(each);
    ASSERT_EQ(guards.size(), 1U) << each;
    EXPECT_EQ(guards[0].kind, Kind::plugin);
    EXPECT_EQ(guards[0].plugin, "guard");
    EXPECT_THAT(guards[0].methods, IsEmpty());
    EXPECT_FALSE(guards[0].allow_on_error || guards[0].shadow || guards[0].cache);
  }
}

TEST(ReadingGuards, GroupsKeepTheirOrder) {
  const auto guards = guards_of(
      R"(authorize = ["guard", { any = [{ plugin = "allow", methods = ["OPTIONS"] }, { all = ["other", "deny"] }, "wrap"] }])");
  ASSERT_EQ(guards.size(), 2U);
  EXPECT_EQ(guards[1].kind, Kind::any);
  ASSERT_EQ(guards[1].guards.size(), 3U);
  EXPECT_EQ(guards[1].guards[0].kind, Kind::allow);
  EXPECT_THAT(guards[1].guards[0].methods, ElementsAre("OPTIONS"));
  EXPECT_EQ(guards[1].guards[1].kind, Kind::all);
  ASSERT_EQ(guards[1].guards[1].guards.size(), 2U);
  EXPECT_EQ(guards[1].guards[1].guards[0].plugin, "other");
  EXPECT_EQ(guards[1].guards[1].guards[1].kind, Kind::deny);
  EXPECT_EQ(guards[1].guards[2].plugin, "wrap");
  EXPECT_EQ(guards[1].place.line, 8U);
}

TEST(ReadingGuards, EveryKeyIsRead) {
  std::string told;
  const auto guards = guards_of(
      R"(authorize = ["deny", { plugin = "guard", methods = ["GET", "PUT"], on_error = "allow", cache = { ttl = "7s", deny_ttl = "0s", entries = 9, key = ["REMOTE_ADDR", "HTTP_X"] } }, { any = ["other"], shadow = true, methods = ["GET"] }])",
      &told);
  ASSERT_EQ(guards.size(), 3U) << told;
  EXPECT_THAT(guards[1].methods, ElementsAre("GET", "PUT"));
  EXPECT_TRUE(guards[1].allow_on_error);
  ASSERT_TRUE(guards[1].cache);
  EXPECT_EQ(guards[1].cache->ttl, milliseconds(7000));
  EXPECT_EQ(guards[1].cache->deny_ttl, milliseconds(0));
  EXPECT_EQ(guards[1].cache->entries, 9U);
  EXPECT_THAT(guards[1].cache->key, ElementsAre("REMOTE_ADDR", "HTTP_X"));
  EXPECT_TRUE(guards[2].shadow);
  EXPECT_THAT(guards[2].methods, ElementsAre("GET"));
  EXPECT_FALSE(decides(guards[2]));
  EXPECT_TRUE(decides(guards[1]));
}

TEST(ReadingGuards, ACacheWithoutKeysHasTheDefaults) {
  const auto guards = guards_of(R"(authorize = { plugin = "guard", cache = {} })");
  ASSERT_TRUE(guards.at(0).cache);
  EXPECT_EQ(guards[0].cache->ttl, milliseconds(5000));
  EXPECT_EQ(guards[0].cache->deny_ttl, milliseconds(1000));
  EXPECT_EQ(guards[0].cache->entries, 10000U);
  EXPECT_THAT(guards[0].cache->key, IsEmpty());
}

TEST(ReadingGuards, GroupsMayStandEightDeep) {
  const auto nested = [](std::size_t groups) {
    std::string made = "authorize = ";
    for (std::size_t i = 0; i < groups; ++i) made += "{ any = [";
    made += "\"guard\"";
    for (std::size_t i = 0; i < groups; ++i) made += "] }";
    return made;
  };
  EXPECT_EQ(guards_of(nested(deepest_guards - 1)).size(), 1U);
  std::string told;
  EXPECT_EQ(guards_of(nested(deepest_guards), &told).size(), 0U);
  EXPECT_THAT(told, testing::HasSubstr("more than 8 deep"));
}

TEST(ReadingGuards, WhatCannotDecideIsNone) {
  Guard shadow;
  shadow.shadow = true;
  Guard group;
  group.kind = Kind::any;
  EXPECT_TRUE(decides(group));  // Of nothing: it refuses.
  group.guards = {shadow};
  EXPECT_FALSE(decides(group));
  EXPECT_FALSE(some_decide({shadow, group}));
  group.guards.emplace_back();
  EXPECT_TRUE(decides(group));
  EXPECT_FALSE(some_decide({}));
}

struct GuardWarning {
  std::string_view text;
  std::string_view told;
};

constexpr GuardWarning guard_warnings[] = {
    {R"([plugin.guard]
[[route]]
path = "/a"
authorize = { any = ["app", "allow", "guard", { all = ["app"] }] }
)",
     R"({}/t.toml:6:38: warning: the guard "guard" never runs: "allow" stands before it
    6 | authorize = { any = ["app", "allow", "guard", { all = ["app"] }] }
      |                                      ^^^^^^^
{}/t.toml:6:47: warning: the group `all` never runs: "allow" stands before it
    6 | authorize = { any = ["app", "allow", "guard", { all = ["app"] }] }
      |                                               ^^^^^^^^^^^^^^^^^
0 errors, 2 warnings
)"},
    {R"([[route]]
path = "/a"
authorize = [{ plugin = "deny", methods = ["PUT"] }, "app"]
)",
     R"(0 errors, 0 warnings
)"},
    {R"([[route]]
path = "/a"
authorize = { any = [{ plugin = "allow", methods = ["OPTIONS"] }, "app"] }
)",
     R"(0 errors, 0 warnings
)"},
    {R"([[route]]
path = "/a"
authorize = { plugin = "app", on_error = "allow" }
)",
     R"({}/t.toml:5:42: warning: whoever can make the plugin "app" fail, or be late, gets past it
    5 | authorize = { plugin = "app", on_error = "allow" }
      |                                          ^^^^^^^
0 errors, 1 warning
)"},
    {R"([[route]]
path = "/a"
authorize = ["allow", { plugin = "app", shadow = true, on_error = "allow" }]
)",
     R"({}/t.toml:5:56: warning: `on_error` has no effect: a shadow decides nothing
    5 | authorize = ["allow", { plugin = "app", shadow = true, on_error = "allow" }]
      |                                                        ^^^^^^^^
0 errors, 1 warning
)"},
    {R"([[route]]
path = "/a"
authorize = { plugin = "app", shadow = true }
)",
     R"({}/t.toml:5:1: warning: every guard of this route is a shadow: nobody is kept out, and authorizer requests are refused with 403
    5 | authorize = { plugin = "app", shadow = true }
      | ^^^^^^^^^
0 errors, 1 warning
)"},
    {R"([[route]]
path = "/a"
authorize = ["allow", { any = [{ plugin = "app", shadow = true }] }]
)",
     R"({}/t.toml:5:25: warning: every guard in `any` is a shadow: the group decides nothing
    5 | authorize = ["allow", { any = [{ plugin = "app", shadow = true }] }]
      |                         ^^^
0 errors, 1 warning
)"},
    {R"([[route]]
path = "/a"
authorize = { plugin = "app", shadow = true }
[[route]]
path = "/a"
authorize = "deny"
)",
     R"({}/t.toml:5:1: warning: every guard of this route is a shadow: nobody is kept out, and authorizer requests are refused with 403
    5 | authorize = { plugin = "app", shadow = true }
      | ^^^^^^^^^
{}/t.toml:7:8: warning: the route "route-2" can never match: "route-1" (line 3) takes all its requests, without its guards
    7 | path = "/a"
      |        ^^^^ put it before "route-1"
0 errors, 2 warnings
)"},
};

TEST(ReadingGuards, WhatIsProbablyNotMeantIsToldAndServed) {
  const Loader loader;
  for (const GuardWarning& each : guard_warnings) {
    EXPECT_TRUE(loader.load(whole(each.text)).config) << each.text;
    EXPECT_EQ(loader.told(whole(each.text)), each.told);
  }
}

}  // namespace
}  // namespace trivet::config
