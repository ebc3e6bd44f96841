#include <gtest/gtest.h>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

/// The answer of one guard in each slice and dialect, and where the cookies of guards that allow go.
namespace trivet::host::testing {
namespace {

/// QUERY_STRING says what it answers.
struct Speaker {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request& request) {
    const std::string_view what = request.param("QUERY_STRING");
    if (what == "allow") return trivet::allow().set("REMOTE_USER", "ann");
    if (what == "cookies") {
      return trivet::allow()
          .set("REMOTE_USER", "ann")
          .header("Set-Cookie", "a=1; Path=/")
          .header("X-Inner", "x")
          .header("set-cookie", "b=2");
    }
    if (what == "many-cookies") {
      auto verdict = trivet::allow();
      for (int i = 0; i < 100; ++i) verdict.header("Set-Cookie", "c" + std::to_string(i) + "=1");
      return verdict;
    }
    if (what == "large-cookie") return trivet::allow().header("Set-Cookie", std::string(100000, 'c'));
    if (what == "401") return trivet::deny(401).header("WWW-Authenticate", "Basic").body("who?\n");
    if (what == "403") return trivet::deny(403).body("no\n");
    if (what == "page")
      return trivet::deny(403).header("Content-Type", "Text/html; charset=utf-8").body("<p>no</p>");
    if (what == "large-page")
      return trivet::deny(403).header("Content-Type", "text/html").body(std::string(65500, 'p'));
    if (what == "302") return trivet::deny(302).header("Location", "/login").header("Set-Cookie", "state=1");
    if (what == "429") return trivet::deny(429).header("Retry-After", "7");
    if (what == "503") return trivet::deny(503).header("Retry-After", "7");
    if (what == "full") return trivet::deny(302).header("Location", "/" + std::string(6880, 'l'));
    throw std::runtime_error("on purpose");
  }
};

struct Cookie {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request&) { return trivet::allow().header("Set-Cookie", "one=1"); }
};
struct No {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request&) { return trivet::deny(403); }
};

class Dialects : public ::testing::Test {
 protected:
  Dialects() {
    bench.add<Speaker>("speaker");
    bench.add<Cookie>("cookie");
    bench.add<No>("no");
    bench.add<Head>("head");
    bench.add<Upper>("upper");
    bench.add<SlowGate>("slow", 1, std::nullopt);
    auto& plain = add("plain", {guard("speaker")});
    plain.respond = "head";
    plain.variables = {"REMOTE_USER"};
    add("filtered", {guard("speaker")}).respond = "head";
    bench_route("filtered").filter.emplace_back().plugin = "upper";
    add("no-source", {guard("speaker")});
    add("cookie", {guard("cookie")}).respond = "head";
    add("late", {guard("slow")});
    SlowGate::hold = false;
    SlowGate::entered = 0;
  }

  static config::Guard guard(const std::string& name) {
    config::Guard made;
    made.plugin = name;
    return made;
  }
  static config::Guard group(config::Guard::Kind kind, std::vector<config::Guard> guards) {
    config::Guard made;
    made.kind = kind;
    made.guards = std::move(guards);
    return made;
  }

  config::Route& add(const std::string& name, std::vector<config::Guard> guards) {
    auto& route = bench.route(name, "/" + name);
    route.authorize = std::move(guards);
    routes_[name] = &route;
    return route;
  }
  config::Route& bench_route(const std::string& name) { return *routes_.at(name); }

  Answer ask(const std::string& uri, const Ask& with) {
    Bench::Wire& wire = bench.connect();
    wire.send(request(uri, with));
    wire.wait(with.id);
    return wire.answer(with.id);
  }
  /// As an authorizer's request, steered, in the dialect.
  Answer say(const std::string& dialect, const std::string& what, const std::string& uri = "/plain") {
    return ask(
        uri,
        {.params = {{"QUERY_STRING", what}, {"TRIVET_ROLE", "authorizer"}, {"TRIVET_DIALECT", dialect}}});
  }
  Answer respond(const std::string& uri, const std::string& what = "cookies", Names params = {}) {
    params.emplace_back("QUERY_STRING", what);
    return ask(uri, {.params = params});
  }

  Bench bench;
  std::map<std::string, config::Route*> routes_;
};

constexpr const char* dialects[] = {"fastcgi", "lighttpd", "mod_fcgid", "mod_authnz_fcgi",
                                    "nginx",   "caddy",    "haproxy",   "unheard-of"};

struct SaidCase {
  const char* what;
  int status;  ///< In every dialect but nginx's.
  int nginx;   ///< In nginx's.
  const char* body;
};
constexpr SaidCase said_cases[] = {
    {"401", 401, 401, "who?\n"},
    {"403", 403, 403, "no\n"},
    {"302", 302, 401, ""},
    {"429", 429, 401, "429 Too Many Requests\n"},
    {"503", 503, 503, "503 Service Unavailable\n"},
    {"throw", 500, 500, "500 Internal Server Error\n"},
};

TEST_F(Dialects, ADenialHasTheStatusThatTheServerKnowsInTheAuthorizersSlice) {
  bench.open();
  for (const char* dialect : dialects) {
    const bool nginx = std::string_view(dialect) == "nginx";
    for (const SaidCase& each : said_cases) {
      const Answer answer = say(dialect, each.what);
      EXPECT_EQ(answer.status(), nginx ? each.nginx : each.status) << dialect << ' ' << each.what;
      EXPECT_EQ(answer.body(), each.body) << dialect << ' ' << each.what;
      EXPECT_EQ(answer.app_status, 0U);
      const bool is_mapped = nginx && each.nginx != each.status;
      EXPECT_EQ(answer.header("X-Trivet-Status"), is_mapped ? each.what : "") << dialect;
    }
    EXPECT_EQ(say(dialect, "302").header(nginx ? "X-Trivet-Location" : "Location"), "/login");
    EXPECT_EQ(say(dialect, "302").header(nginx ? "Location" : "X-Trivet-Location"), "");
    EXPECT_EQ(say(dialect, "302").header("Set-Cookie"), "state=1");
    EXPECT_EQ(say(dialect, "429").header(nginx ? "X-Trivet-Retry-After" : "Retry-After"), "7");
    EXPECT_EQ(say(dialect, "503").header("Retry-After"), "7");
    EXPECT_EQ(say(dialect, "401").header("WWW-Authenticate"), "Basic");
  }
  EXPECT_EQ(bench.log.count("TRIVET_DIALECT is unknown"), 1U);
}

TEST_F(Dialects, APageForModAuthnzFcgiIsInOneRecordWithItsHead) {
  bench.open();
  for (const char* dialect : dialects) {
    for (const char* what : {"page", "401", "large-page", "302"}) {
      const Answer answer = say(dialect, what);
      const bool joined = std::string_view(dialect) == "mod_authnz_fcgi" && std::string_view(what) == "page";
      const bool has_body = std::string_view(what) != "302";
      EXPECT_EQ(answer.first_record == answer.out, joined || !has_body) << dialect << ' ' << what;
      EXPECT_EQ(answer.header("Content-Length"), std::to_string(answer.body().size()));
    }
    EXPECT_EQ(say(dialect, "page").body(), "<p>no</p>");
    EXPECT_EQ(say(dialect, "large-page").body().size(), 65500U);
  }
}

TEST_F(Dialects, TheRoleAuthorizerHasThemToo) {
  bench.open();
  const auto ask_in_role = [&](Names params) {
    params.emplace_back("QUERY_STRING", "302");
    return ask("/plain", {.role = 2, .params = params}).status();
  };
  EXPECT_EQ(ask_in_role({{"TRIVET_DIALECT", "nginx"}}), 401);
  EXPECT_EQ(ask_in_role({{"SERVER_SOFTWARE", "nginx/1.22.1"}}), 401);
  EXPECT_EQ(ask_in_role({{"SERVER_SOFTWARE", "nginx/1.22.1"}, {"FCGI_APACHE_ROLE", "AUTHORIZER"}}), 302);
  EXPECT_EQ(ask_in_role({}), 302);
}

TEST_F(Dialects, OtherSlicesHaveNone) {
  bench.open();
  for (const char* dialect : dialects) {
    for (const SaidCase& each : said_cases) {
      const Names steer = {
          {"QUERY_STRING", each.what}, {"TRIVET_DIALECT", dialect}, {"SERVER_SOFTWARE", "nginx/1"}};
      Names filter = steer;
      filter.emplace_back("TRIVET_ROLE", "filter");
      EXPECT_EQ(ask("/plain", {.params = steer}).status(), each.status) << dialect;
      EXPECT_EQ(ask("/filtered", {.params = filter}).status(), each.status) << dialect;
      EXPECT_EQ(ask("/filtered", {.role = 3, .params = steer}).status(), each.status) << dialect;
    }
  }
}

TEST_F(Dialects, AnAllowCarriesCookiesOnlyWhereTheServerCanPassThemOn) {
  bench.open();
  const std::string bare = "Status: 200 OK\r\nVariable-REMOTE_USER: ann\r\n";
  for (const char* dialect : dialects) {
    const std::string_view name = dialect;
    const std::string cookies = name == "nginx" ? "Set-Cookie: a=1; Path=/\r\nX-Trivet-Set-Cookie-2: b=2\r\n"
                                : name == "caddy" || name == "haproxy"
                                    ? "Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\n"
                                    : "";
    EXPECT_EQ(say(dialect, "cookies").out, bare + cookies + "\r\n") << dialect;
    EXPECT_EQ(say(dialect, "allow").out, bare + "\r\n") << dialect;
  }
}

TEST_F(Dialects, WhatDoesNotFitIsADenial) {
  bench.open();
  for (const char* dialect : {"nginx", "caddy", "haproxy"}) {
    for (const char* what : {"many-cookies", "large-cookie"}) {
      const Answer answer = say(dialect, what);
      EXPECT_EQ(answer.status(), 500) << dialect << ' ' << what;
      EXPECT_EQ(answer.header("Set-Cookie"), "") << dialect << ' ' << what;
      EXPECT_EQ(say("fastcgi", what).status(), 200);
    }
  }
  // Its head is within the bound as the guard said it, and beyond it with what the dialect adds.
  EXPECT_EQ(say("fastcgi", "full").status(), 302);
  const Answer answer = say("nginx", "full");
  EXPECT_EQ(answer.status(), 500);
  EXPECT_EQ(answer.ends, 1);
  bench.limits.head_fields = 3;
  EXPECT_EQ(say("fastcgi", "403").status(), 403);
  EXPECT_EQ(say("nginx", "302").status(), 500);
}

TEST_F(Dialects, ARefusalOfTheHostsOwnIsTranslatedToo) {
  bench.limits.stall_time = std::chrono::seconds(5);
  bench.open();
  for (const bool nginx : {false, true}) {
    SlowGate::hold = true;
    const int before = SlowGate::entered;
    Bench::Wire& wire = bench.connect();
    wire.send(request(
        "/late", {.params = {{"TRIVET_ROLE", "authorizer"}, {"TRIVET_DIALECT", nginx ? "nginx" : "caddy"}},
                  .end_body = false}));
    while (SlowGate::entered == before) std::this_thread::yield();
    bench.loop.advance(std::chrono::seconds(6));
    EXPECT_EQ(wire.answer().status(), nginx ? 401 : 408);
    EXPECT_EQ(wire.answer().header("X-Trivet-Status"), nginx ? "408" : "");
    EXPECT_EQ(wire.answer().body(), nginx ? "401 Unauthorized\n" : "408 Request Timeout\n");
    SlowGate::hold = false;
    ASSERT_TRUE(bench.loop.wait_until([&] { return bench.environment().in_use() == 0; }));
  }
}

TEST_F(Dialects, AHeadThatMayBeTooLargeForNginxIsToldOncePerRoute) {
  bench.open();
  for (int i = 0; i < 2; ++i) {
    (void)say("fastcgi", "302");
    EXPECT_EQ(bench.log.count("nginx takes by default"), i == 0 ? 0U : 1U);
    (void)say("fastcgi", "full");
    EXPECT_EQ(bench.log.count("nginx takes by default"), 1U);
  }
}

// --- cookies of an allow, where a response follows ---

std::string count_of(const std::string& head, std::string_view line) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = head.find(line, at)) != std::string::npos; at += line.size()) ++count;
  return std::to_string(count);
}

TEST_F(Dialects, TheResponseCarriesTheCookiesOfTheGuardsThatAllowed) {
  bench.open();
  const std::string cookies = "\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\n";
  for (const char* uri : {"/plain", "/filtered"}) {
    const Answer answer = respond(uri);
    EXPECT_EQ(answer.status(), 200);
    EXPECT_EQ(count_of(answer.head(), cookies), "1") << answer.head();
    EXPECT_EQ(count_of(answer.head(), "X-Inner"), "0");
    const Answer head = respond(uri, "cookies", {{"REQUEST_METHOD", "HEAD"}});
    EXPECT_EQ(count_of(head.head(), cookies), "1") << head.head();
    EXPECT_EQ(head.body(), "");
    EXPECT_EQ(count_of(respond(uri, "allow").head(), "Cookie"), "0");
  }
  // Its own 404, behind the guards.
  const Answer missing = respond("/no-source");
  EXPECT_EQ(missing.status(), 404);
  EXPECT_EQ(count_of(missing.head(), cookies), "1") << missing.head();
  EXPECT_EQ(missing.body(), "404 Not Found\n");
}

TEST_F(Dialects, WhateverTheSourceAnswersTheCookiesGoWithIt) {
  bench.open();
  const auto of = [&](const std::string& what) {
    return ask("/cookie", {.params = {{"QUERY_STRING", what}}});
  };
  const std::pair<const char*, int> cases[] = {{"204", 204},  {"304", 304},   {"location", 302},
                                               {"none", 200}, {"throw", 500}, {"short", 500},
                                               {"huge", 500}};
  for (const auto& [what, status] : cases) {
    const Answer answer = of(what);
    EXPECT_EQ(answer.status(), status) << what;
    EXPECT_EQ(answer.header("Set-Cookie"), "one=1") << what;
  }
}

TEST_F(Dialects, OnlyGuardsThatTheDecisionRestsOnSetCookies) {
  using Kind = config::Guard::Kind;
  add("failed-branch",
      {group(Kind::any, {group(Kind::all, {guard("cookie"), guard("no")}), guard("speaker")})})
      .respond = "head";
  add("denied", {guard("cookie"), guard("no")}).respond = "head";
  config::Guard shadow = guard("cookie");
  shadow.shadow = true;
  add("shadow", {shadow, guard("speaker")}).respond = "head";
  add("both", {guard("cookie"), guard("speaker")}).respond = "head";
  bench.open();
  for (const char* uri : {"/failed-branch", "/shadow"}) {
    EXPECT_EQ(respond(uri, "allow").status(), 200);
    EXPECT_EQ(count_of(respond(uri, "allow").head(), "Set-Cookie"), "0") << uri;
    EXPECT_EQ(count_of(respond(uri).head(), "Set-Cookie"), "2") << uri;
    EXPECT_EQ(count_of(say("caddy", "cookies", uri).head(), "Set-Cookie"), "2") << uri;
  }
  EXPECT_EQ(respond("/denied").status(), 403);
  EXPECT_EQ(count_of(respond("/denied").head(), "Set-Cookie"), "0");
  EXPECT_EQ(count_of(respond("/both").head(), "Set-Cookie"), "3");
}

TEST_F(Dialects, CookiesThatDoNotFitFailTheResponseAndAreLeftOutOfTheFailure) {
  bench.open();
  for (const char* what : {"many-cookies", "large-cookie"}) {
    const Answer answer = respond("/plain", what);
    EXPECT_EQ(answer.status(), 500) << what;
    EXPECT_EQ(answer.header("Set-Cookie"), "") << what;
    EXPECT_EQ(answer.body(), "500 Internal Server Error\n") << what;
    EXPECT_EQ(answer.records, 1U) << what;
  }
}

TEST_F(Dialects, ARequestHasNothingOfTheCookiesOfTheOneBefore) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  for (const bool with : {true, false, true, false}) {
    wire.send(request("/plain", {.params = {{"QUERY_STRING", with ? "cookies" : "allow"}}}));
    ASSERT_TRUE(wire.wait());
    const std::string out = wire.pipe.from_host;
    wire.pipe.from_host.clear();
    EXPECT_EQ(count_of(out, "Set-Cookie"), with ? "2" : "0");
  }
}

}  // namespace
}  // namespace trivet::host::testing
