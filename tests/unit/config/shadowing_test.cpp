#include <gtest/gtest.h>

#include "tests/unit/config/folder.hpp"

namespace trivet::config {
namespace {

/// Two routes on lines 6 and further; `second` starts on a line of its own.
std::string two_routes(std::string_view first, std::string_view second) {
  return std::string(a_listener) + "[plugin.app]\n[plugin.guard]\n[[route]]\nrespond = \"app\"\n" +
         std::string(first) + "\n[[route]]\nauthorize = \"guard\"\n" + std::string(second) + "\n";
}

TEST(ShadowingOfPhases, APhaseIsTakenByARouteForEveryPhaseOrTheSame) {
  const std::pair<std::string_view, bool> cases[] = {
      {"", true},
      {"phase = \"authenticator\"", true},
      {"phase = [\"authorizer\", \"authenticator\"]", true},
      {"phase = \"authorizer\"", false},
  };
  const Loader loader;
  for (const auto& [first, shadowed] : cases) {
    const std::string text = std::string(a_listener) + "[plugin.guard]\n[[route]]\nauthorize = \"guard\"\n" +
                             std::string(first) +
                             "\n[[route]]\nauthorize = \"guard\"\nphase = \"authenticator\"\n";
    const Loaded loaded = loader.load(text);
    ASSERT_TRUE(loaded.config) << render_all(loaded);
    EXPECT_EQ(loaded.diagnostics.size(), shadowed ? 1U : 0U) << first;
  }
}

struct PairCase {
  std::string_view name;
  std::string_view first;
  std::string_view second;
  bool shadowed;
};

constexpr PairCase pair_cases[] = {
    {"SamePath", "path = '/a'", "path = '/a'", true},
    {"OtherPath", "path = '/a'", "path = '/b'", false},
    {"WiderPath", "path = '/a/**'", "path = '/a/b'", true},
    {"NarrowerPath", "path = '/a/b'", "path = '/a/**'", false},
    {"NoPathIsEveryPath", "", "path = '/a/b'", true},
    {"NeitherHasAPathOrName", "", "", true},
    {"WildFirstSegment", "path = '/*/b'", "path = '/a/b'", true},
    {"ByNameOnly", "", "name = 'n'", false},
    {"ByNameAndPath", "", "name = 'n'\npath = '/a'", true},
    {"SameHosts", "hosts = ['a', 'b']", "hosts = ['B', 'a']", true},
    {"MoreHosts", "hosts = ['a']", "hosts = ['a', 'b']", false},
    {"FewerHosts", "hosts = ['a', 'b']", "hosts = ['b']", true},
    {"AnyHostAfterOne", "hosts = ['a']", "", false},
    {"OneHostAfterAny", "", "hosts = ['a']", true},
    {"SameMethods", "methods = ['GET']", "methods = ['GET']", true},
    {"GetIncludesHead", "methods = ['GET']", "methods = ['HEAD']", true},
    {"HeadDoesNotIncludeGet", "methods = ['HEAD']", "methods = ['GET']", false},
    {"OtherMethods", "methods = ['GET']", "methods = ['POST']", false},
    {"AnyMethodAfterOne", "methods = ['GET']", "", false},
    {"OneListenerAfterAny", "", "listen = ['unix:/run/x.sock']", true},
    {"AnyListenerAfterOne", "listen = ['unix:/run/x.sock']", "", false},
};

class Shadowing : public testing::TestWithParam<PairCase> {};

TEST_P(Shadowing, IsToldWhereTheFirstTakesAllRequestsOfTheSecond) {
  const Loader loader;
  const Loaded loaded = loader.load(two_routes(GetParam().first, GetParam().second));
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  EXPECT_EQ(loaded.diagnostics.size(), GetParam().shadowed ? 1U : 0U) << render_all(loaded);
  for (const Diagnostic& each : loaded.diagnostics) {
    EXPECT_NE(each.message.find("can never match"), std::string::npos) << each.message;
  }
}

INSTANTIATE_TEST_SUITE_P(Pairs, Shadowing, testing::ValuesIn(pair_cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(ShadowedRoutes, AreToldWithTheFirstThatTakesTheirRequests) {
  const Loader loader;
  EXPECT_EQ(
      loader.told(std::string(a_listener) + R"([plugin.app]
[[route]]
path = "/other/**"
respond = "app"
[[route]]
path = "/docs/**"
respond = "app"
[[route]]
path = "/*/**"
respond = "app"
[[route]]
path = "/docs/secret"
authorize = "deny"
[[route]]
name = "named"
path = "/docs/*.md"
respond = "app"
)"),
      R"({}/t.toml:14:8: warning: the route "route-4" can never match: "route-2" (line 7) takes all its requests, without its guards
   14 | path = "/docs/secret"
      |        ^^^^^^^^^^^^^^ put it before "route-2"
{}/t.toml:18:8: warning: the route "named" can never match: "route-2" (line 7) takes all its requests
   18 | path = "/docs/*.md"
      |        ^^^^^^^^^^^^ put it before "route-2"; as it stands only TRIVET_ROUTE leads to it
0 errors, 2 warnings
)");
}

TEST(ShadowedRoutes, AreFoundAmongThousandsInAMoment) {
  const Loader loader;
  std::string text = std::string(a_listener) + "[plugin.app]\n";
  for (int count = 0; count < 3000; ++count) {
    text += "[[route]]\npath = \"/site-" + std::to_string(count) + "/**\"\nrespond = \"app\"\n";
  }
  text += "[[route]]\npath = \"/site-2999/x\"\nrespond = \"app\"\n";
  const Loaded loaded = loader.load(text);
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_EQ(loaded.diagnostics[0].message,
            "the route \"route-3001\" can never match: \"route-3000\" (line 9001) takes all its requests");
}

struct CrossingCase {
  const char* name;
  std::string_view open;
  std::string_view guarded;
  bool told;
};

constexpr CrossingCase crossing_cases[] = {
    {"AStarInAnotherPlace", "path = '/*/public'", "path = '/admin/**'", true},
    {"TwoStarsInside", "path = '/a*c'", "path = '/*b*'", true},
    {"TheMiddleOfAPath", "path = '/**/x/**'", "path = '/a/**'", true},
    {"OneMethodOfAll", "methods = ['POST']", "path = '/admin/**'", true},
    {"HeadWithinGet", "path = '/*/b'\nmethods = ['HEAD']", "path = '/a/*'\nmethods = ['GET']", true},
    {"OneHostOfAll", "hosts = ['a.org']", "path = '/admin/**'", true},
    {"OneListenerOfAll", "listen = ['unix:/run/x.sock']", "path = '/admin/**'", true},
    {"AnExceptionWithin", "path = '/admin/login'", "path = '/admin/**'", false},
    {"AnExceptionForOneMethod", "path = '/admin/**'\nmethods = ['OPTIONS']", "path = '/admin/**'", false},
    {"Elsewhere", "path = '/a/**'", "path = '/b/**'", false},
    {"AnotherEnding", "path = '/*/a'", "path = '/x/*b'", false},
    {"AnotherDepth", "path = '/*/a'", "path = '/x/*/*'", false},
    {"OtherMethods", "path = '/*/a'\nmethods = ['POST']", "path = '/x/*'\nmethods = ['GET']", false},
    {"OtherHosts", "path = '/*/a'\nhosts = ['a.org']", "path = '/x/*'\nhosts = ['b.org']", false},
};

class Crossing : public testing::TestWithParam<CrossingCase> {};

TEST_P(Crossing, IsToldWhereAnOpenRouteTakesSomeRequestsOfAGuardedOneAndOthers) {
  const Loader loader;
  const Loaded loaded =
      loader.load(std::string(a_listener) + "[plugin.app]\n[plugin.other]\n[[route]]\nrespond = 'app'\n" +
                  std::string(GetParam().open) + "\n[[route]]\nauthorize = 'deny'\nrespond = 'other'\n" +
                  std::string(GetParam().guarded) + "\n");
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  EXPECT_EQ(loaded.diagnostics.size(), GetParam().told ? 1U : 0U) << render_all(loaded);
  for (const Diagnostic& each : loaded.diagnostics) {
    EXPECT_EQ(each.message,
              "some requests of \"route-2\" never meet its guards: \"route-1\" (line 5) takes them first, "
              "and is open");
    EXPECT_EQ(each.hint, "put it before \"route-1\", or guard both");
  }
}

INSTANTIATE_TEST_SUITE_P(Pairs, Crossing, testing::ValuesIn(crossing_cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(CrossedRoutes, AreNotToldWhereTheFirstIsGuardedOrComesLater) {
  const Loader loader;
  const std::string head = std::string(a_listener) + "[plugin.app]\n";
  const std::string guarded = "[[route]]\npath = '/admin/**'\nauthorize = 'deny'\nrespond = 'app'\n";
  const std::string crossing_guarded = "[[route]]\npath = '/*/x'\nauthorize = 'allow'\nrespond = 'app'\n";
  const std::string crossing_open = "[[route]]\npath = '/*/x'\nrespond = 'app'\n";
  for (const auto& [first, second] :
       {std::pair(crossing_guarded, guarded), std::pair(guarded, crossing_open)}) {
    std::string text = head;
    text.append(first).append(second);
    EXPECT_EQ(loader.load(text).diagnostics.size(), 0U) << render_all(loader.load(text));
  }
}

TEST(CrossedRoutes, AreFoundAmongThousandsInAMoment) {
  const Loader loader;
  std::string text = std::string(a_listener) + "[plugin.app]\n";
  for (int count = 0; count < 3000; ++count) {
    text += "[[route]]\npath = \"/site/" + std::to_string(count) + "/**\"\nrespond = \"app\"\n" +
            (count % 2 == 1 ? "authorize = \"deny\"\n" : "");
  }
  text += "[[route]]\npath = \"/site/*/x\"\nauthorize = \"deny\"\nrespond = \"app\"\n";
  const Loaded loaded = loader.load(text);
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_EQ(loaded.diagnostics[0].message.find("some requests of \"route-3001\""), 0U);
}

TEST(GuardsOfOneHost, AreToldWhereAnotherHostLeadsToTheSameSource) {
  const Loader loader;
  EXPECT_EQ(
      loader.told(std::string(a_listener) + R"([plugin.app]
[[route]]
name = "guarded"
path = "/docs/**"
hosts = ["a.org"]
authorize = "deny"
respond = "app"
[[route]]
name = "open"
respond = "app"
)"),
      R"({}/t.toml:6:8: warning: whoever sends another Host gets around the guards of "guarded": "open" (line 10) is open and has the same source
    6 | path = "/docs/**"
      |        ^^^^^^^^^^ let the web server set TRIVET_HOST, or guard both
0 errors, 1 warning
)");
}

TEST(GuardsOfOneHost, AreNotToldWhereTheOtherRouteIsGuardedOrElsewhere) {
  const Loader loader;
  const std::string guarded = std::string(a_listener) +
                              "[plugin.app]\n[plugin.other]\n[[route]]\npath = '/d/**'\nhosts = ['a.org']\n"
                              "authorize = 'deny'\nrespond = 'app'\n";
  for (const std::string_view other :
       {"respond = 'app'\nauthorize = 'deny'\n", "respond = 'app'\npath = '/e/**'\n", "respond = 'other'\n",
        "respond = 'app'\nhosts = ['a.org']\n"}) {
    const Loaded loaded = loader.load(guarded + "[[route]]\n" + std::string(other) +
                                      "[[route]]\npath = '/z'\nhosts = ['z']\nrespond = 'other'\n");
    for (const Diagnostic& each : loaded.diagnostics) {
      EXPECT_EQ(each.message.find("gets around"), std::string::npos) << other << render_all(loaded);
    }
    EXPECT_TRUE(loaded.config) << render_all(loaded);
  }
}

TEST(ShadowedRoutes, AreNotGuessedAtInAFileWithMistakes) {
  const Loader loader;
  const Loaded loaded = loader.load(two_routes("path = 'wrong'", "path = '/a'"));
  EXPECT_EQ(loaded.diagnostics.size(), 1U) << render_all(loaded);
}

}  // namespace
}  // namespace trivet::config
