#include "runtime/roles/router.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace trivet::roles {
namespace {

std::unique_ptr<Route> route(const std::string& path, std::vector<std::string> methods = {}) {
  config::Route made;
  made.path = path;
  made.name = path;
  made.methods = std::move(methods);
  return std::make_unique<Route>(made);
}

std::unique_ptr<Route> route_of(const std::string& path, std::vector<std::string> hosts) {
  config::Route made;
  made.path = path;
  made.name = path;
  made.hosts = std::move(hosts);
  return std::make_unique<Route>(made);
}

std::string found(const Router& router, const std::string& text, std::string_view method = "GET") {
  cgi::RequestPath path;
  EXPECT_EQ(path.parse(text, cgi::RequestPath::Form::decoded), "") << text;
  Target target;
  target.path = &path;
  target.method = method;
  const Match match = router.find(target);
  return match.route == nullptr ? router.allowed(target) : match.route->config.path;
}

/// The first of all routes that matches, looked at one by one: what the tree must not change.
std::string found_one_by_one(const Router& router, const std::string& text) {
  cgi::RequestPath path;
  EXPECT_EQ(path.parse(text, cgi::RequestPath::Form::decoded), "") << text;
  Target target;
  target.path = &path;
  target.method = "GET";
  for (const auto& each : router.routes()) {
    if (mismatch(*each, target) == Mismatch::none) return each->config.path;
  }
  return {};
}

TEST(Router, TheFirstMatchInTheFileWinsHoweverLongItsBeginningIs) {
  std::vector<std::unique_ptr<Route>> routes;
  for (const char* path : {"/a/b/c", "/a/*/d", "/a/**", "/a/b/d", "/**/z", "/*", "/", "/a/b/"}) {
    routes.push_back(route(path));
  }
  const Router router(std::move(routes));
  EXPECT_EQ(found(router, "/a/b/c"), "/a/b/c");
  EXPECT_EQ(found(router, "/a/b/d"), "/a/*/d") << "written before /a/** and /a/b/d";
  EXPECT_EQ(found(router, "/a/b/"), "/a/**");
  EXPECT_EQ(found(router, "/a"), "/a/**");
  EXPECT_EQ(found(router, "/b/c/z"), "/**/z");
  EXPECT_EQ(found(router, "/x"), "/*");
  EXPECT_EQ(found(router, "/"), "/*") << "an empty segment is one";
  EXPECT_EQ(found(router, "/b/c"), "");
}

TEST(Router, MethodsOfAllThatMatchButForThemAreTold) {
  std::vector<std::unique_ptr<Route>> routes;
  routes.push_back(route("/a/*", {"PUT"}));
  routes.push_back(route("/a/b", {"POST"}));
  routes.push_back(route("/**", {"DELETE"}));
  const Router router(std::move(routes));
  EXPECT_EQ(found(router, "/a/b"), "PUT, POST, DELETE");
  EXPECT_EQ(found(router, "/a/b", "POST"), "/a/b");
}

TEST(Router, FindsWhatLookingAtEachFinds) {
  constexpr unsigned seed = 20261127;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::vector<std::string> patterns = {"a", "b", "", "*", "a*", "**", "c"};
  const std::vector<std::string> pieces = {"a", "b", "", "ab", "c", "*"};
  const auto some = [&](const std::vector<std::string>& from, std::size_t most) {
    std::string text;
    for (std::size_t left = 1 + random() % most; left > 0; --left) text += "/" + from[random() % from.size()];
    return text;
  };
  for (int round = 0; round < 50; ++round) {
    std::vector<std::unique_ptr<Route>> routes;
    for (int each = 0; each < 30; ++each) routes.push_back(route(some(patterns, 4)));
    const Router router(std::move(routes));
    for (int each = 0; each < 100; ++each) {
      const std::string path = some(pieces, 6);
      ASSERT_EQ(found(router, path), found_one_by_one(router, path)) << path;
    }
  }
}

TEST(Router, SegmentsThatDifferInOneByteOrStandElsewhereAreDifferent) {
  std::vector<std::unique_ptr<Route>> routes;
  std::vector<std::string> segments;
  for (std::size_t size = 0; size <= 40; ++size) {
    segments.emplace_back(size, 'a');
    for (std::size_t at = 0; at < size; ++at) {
      segments.emplace_back(size, 'a');
      segments.back()[at] = 'b';
    }
  }
  for (const std::string& each : segments) {
    routes.push_back(route("/" + each));
    routes.push_back(route("/" + each + "/" + each));
  }
  const Router router(std::move(routes));
  for (const std::string& each : segments) {
    EXPECT_EQ(found(router, "/" + each), "/" + each);
    EXPECT_EQ(found(router, "/" + each + "/" + each), "/" + each + "/" + each);
    EXPECT_EQ(found(router, "/" + each + "c"), "");
    EXPECT_EQ(found(router, "/" + each + "/" + each + "c"), "");
    EXPECT_EQ(found(router, "/" + each + "/" + each + "/" + each), "");
  }
  EXPECT_EQ(found(Router({}), "/a"), "");
}

/// The number of the first route that matches, by the tree and one by one; or none.
void expect_same(const Router& router, const std::string& text, std::string_view host) {
  cgi::RequestPath path;
  EXPECT_EQ(path.parse(text, cgi::RequestPath::Form::decoded), "") << text;
  Target target;
  target.path = &path;
  target.host = host;
  const Route* first = nullptr;
  for (const auto& each : router.routes()) {
    if (first == nullptr && mismatch(*each, target) == Mismatch::none) first = each.get();
  }
  ASSERT_EQ(router.find(target).route, first) << host << text;
}

TEST(Router, HostsAreFoundInAnyCaseAndInTheOrderOfTheFile) {
  constexpr unsigned seed = 20261128;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::vector<std::string> hosts = {"a.example", "b.example", "c.example", "[::1]", "x"};
  const std::vector<std::string> asked = {"a.example", "B.Example", "C.EXAMPLE", "[::1]",
                                          "x",         "",          "d.example"};
  const std::vector<std::string> paths = {"/**", "/p/**", "/p/q", "/p/*", "/p/q/r/**"};
  for (int round = 0; round < 50; ++round) {
    std::vector<std::unique_ptr<Route>> routes;
    for (int each = 0; each < 20; ++each) {
      std::vector<std::string> some;
      for (const std::string& host : hosts) {
        if (random() % 4 == 0) some.push_back(host);
      }
      routes.push_back(route_of(paths[random() % paths.size()], some));
    }
    const Router router(std::move(routes));
    for (const std::string& host : asked) {
      for (const char* path : {"/", "/p", "/p/q", "/p/q/r/s", "/p/z", "/o"}) expect_same(router, path, host);
    }
  }
}

TEST(Router, APathThatPassesMoreListsThanAreKeptIsStillMatchedInOrder) {
  std::vector<std::unique_ptr<Route>> routes;
  std::string deep;
  std::vector<std::string> paths;
  for (int depth = 0; depth < 40; ++depth) {
    deep += "/d";
    paths.push_back(deep + "/*x");
  }
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) routes.push_back(route(*path));
  routes.push_back(route("/**"));
  const Router router(std::move(routes));
  for (std::string path = "/d"; path.size() < 90; path += "/d") {
    EXPECT_EQ(found(router, path + "/x"), found_one_by_one(router, path + "/x")) << path;
    EXPECT_EQ(found(router, path), "/**") << path;
  }
}

}  // namespace
}  // namespace trivet::roles
