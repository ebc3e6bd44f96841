#include <gtest/gtest.h>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

/// Which route a request takes.
namespace trivet::host::testing {
namespace {

class Matching : public ::testing::Test {
 protected:
  Matching() {
    bench.add<ShowRoute>("show");
    add("of-a-host", "/h/**").hosts = {"a.example"};
    add("of-any-host", "/h/**");
    add("first", "/dup/**");
    add("second", "/dup/**");
    add("gets", "/m").methods = {"GET"};
    add("posts", "/m").methods = {"POST"};
    add("elsewhere", "/l/**").listen = {"1"};
    bench.open();
  }

  config::Route& add(const std::string& name, const std::string& path) {
    auto& route = bench.route(name, path);
    route.respond = "show";
    return route;
  }

  /// The name of the route, or the status where there is none.
  std::string route_of(const std::string& uri, const Ask& with, std::uint32_t listener = 0) {
    Bench::Wire& wire = bench.connect(true, listener);
    wire.send(request(uri, with));
    const Answer answer = wire.answer();
    return answer.status() == 200 ? answer.body() : std::to_string(answer.status());
  }

  Bench bench;
};

struct MatchingCase {
  const char* name;
  const char* uri;
  Names params;
  const char* expected;
  std::vector<std::string> without = {};
};

class MatchingOf : public Matching, public ::testing::WithParamInterface<MatchingCase> {};

TEST_P(MatchingOf, ARequestTakesItsRoute) {
  const MatchingCase& each = GetParam();
  EXPECT_EQ(route_of(each.uri, {.params = each.params, .without = each.without}), each.expected);
}

/// A guarded folder in a site that is open otherwise.
class GuardedFolder : public ::testing::Test {
 protected:
  explicit GuardedFolder(const char* open = "/**") {
    bench_.add<ShowRoute>("show");
    config::Route& admin = bench_.route("admin", "/admin/**");
    admin.respond = "show";
    admin.methods = {"GET", "POST"};
    admin.authorize.emplace_back().plugin = "deny";
    bench_.route("open", open).respond = "show";
    bench_.open();
  }
  std::string route_of(const std::string& uri, const Ask& with = {}) {
    Bench::Wire& wire = bench_.connect();
    wire.send(request(uri, with));
    const Answer answer = wire.answer();
    return answer.status() == 200 ? answer.body() : std::to_string(answer.status());
  }

 private:
  Bench bench_;
};

TEST_F(GuardedFolder, IsNotReachedBySpellingsThatAnApplicationTakesForIt) {
  EXPECT_EQ(route_of("/admin/users"), "403");
  for (const char* uri :
       {"/admin%2Fusers", "//admin/users", "/%2Fadmin/users", "/admin%2F%2Fusers", "///admin"})
    EXPECT_EQ(route_of(uri), "400") << uri;
  for (const char* uri : {"/a%2Fb", "/users%2Fadmin", "//a", "/", "/a//b/", "/admins%2Fx"})
    EXPECT_EQ(route_of(uri), "open") << uri;
}

class GuardedFolderBeside : public GuardedFolder {
 protected:
  GuardedFolderBeside() : GuardedFolder("/public/**") {}
};

TEST_F(GuardedFolderBeside, AnOpenOneIsNotReachedByARewriteWithAMethodItDoesNotTake) {
  const auto rewritten = [](const char* method) {
    return Ask{.params = {{"REQUEST_METHOD", method}, {"SCRIPT_NAME", "/admin/x"}}};
  };
  EXPECT_EQ(route_of("/public/x", rewritten("GET")), "403");
  EXPECT_EQ(route_of("/public/x", rewritten("PUT")), "403");
}

INSTANTIATE_TEST_SUITE_P(
    Table, MatchingOf,
    ::testing::Values(
        MatchingCase{"FirstInFileOrder", "/dup/x", {}, "first"},
        MatchingCase{"Host", "/h/x", {{"HTTP_HOST", "A.Example.:8080"}}, "of-a-host"},
        MatchingCase{"OtherHost", "/h/x", {{"HTTP_HOST", "b.example"}}, "of-any-host"},
        MatchingCase{"LongerHost", "/h/x", {{"HTTP_HOST", "a.example.org"}}, "of-any-host"},
        MatchingCase{"NoHost", "/h/x", {}, "of-any-host"},
        MatchingCase{"SteeredHostBeatsTheClients",
                     "/h/x",
                     {{"TRIVET_HOST", "a.example"}, {"HTTP_HOST", "b.example"}},
                     "of-a-host"},
        MatchingCase{"ClientsHostDoesNotBeatTheSteered",
                     "/h/x",
                     {{"TRIVET_HOST", "b.example"}, {"HTTP_HOST", "a.example"}},
                     "of-any-host"},
        MatchingCase{"Method", "/m", {{"REQUEST_METHOD", "POST"}}, "posts"},
        MatchingCase{"MethodsAreCaseSensitive", "/m", {{"REQUEST_METHOD", "post"}}, "405"},
        MatchingCase{"SteeredMethod", "/m", {{"TRIVET_METHOD", "POST"}}, "posts"},
        MatchingCase{"DecodedOnce", "/d%75p/x", {}, "first"},
        MatchingCase{"NotDecodedTwice", "/d%2575p/x", {}, "404"},
        MatchingCase{"QueryIsNoPath", "/nowhere?/dup/x", {}, "404"},
        MatchingCase{"AbsoluteForm", "http://any/dup/x?q", {}, "first"},
        MatchingCase{"SteeredPathBeatsTheUri", "/nowhere", {{"TRIVET_PATH", "/dup/x"}}, "first"},
        MatchingCase{"SteeredPathIsNotDecoded", "/dup/x", {{"TRIVET_PATH", "/d%75p/x"}}, "404"},
        MatchingCase{"ScriptNameWithoutAUri",
                     "",
                     {{"SCRIPT_NAME", "/dup"}, {"PATH_INFO", "/x"}},
                     "first",
                     {"REQUEST_URI"}},
        MatchingCase{"ScriptNameIsNotDecoded", "", {{"SCRIPT_NAME", "/d%75p"}}, "404", {"REQUEST_URI"}},
        MatchingCase{"NamedBeatsPathAndHosts",
                     "/dup/x",
                     {{"TRIVET_ROUTE", "of-a-host"}, {"HTTP_HOST", "b.example"}},
                     "of-a-host"},
        MatchingCase{"NamedDoesNotBeatMethods", "/m", {{"TRIVET_ROUTE", "posts"}}, "405"},
        MatchingCase{"NamedOfAnotherListener", "/l/x", {{"TRIVET_ROUTE", "elsewhere"}}, "500"},
        MatchingCase{"PathOfAnotherListener", "/l/x", {}, "404"}),
    [](const auto& test) { return test.param.name; });

TEST_F(Matching, ARouteAnswersOnItsOwnListener) {
  EXPECT_EQ(route_of("/l/x", {}, 1), "elsewhere");
  EXPECT_EQ(route_of("/any", {.params = {{"TRIVET_ROUTE", "elsewhere"}}}, 1), "elsewhere");
  EXPECT_EQ(route_of("/dup/x", {}, 1), "first");
}

}  // namespace
}  // namespace trivet::host::testing
