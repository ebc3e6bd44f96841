#include <gtest/gtest.h>

#include <string>

#include "runtime/cli/snippet/path_rule.hpp"
#include "runtime/cli/snippet/quoting.hpp"
#include "runtime/cli/snippet/servers.hpp"
#include "runtime/cli/snippet/site.hpp"
#include "runtime/config/load.hpp"

namespace trivet::cli::snippet {
namespace {

using Shape = PathRule::Shape;

struct PathCase {
  const char* name;
  const char* pattern;
  Shape shape;
  const char* literal;
  const char* regex;
};

class Paths : public testing::TestWithParam<PathCase> {};

TEST_P(Paths, AreSaidInTheFormsOfWebServers) {
  const PathRule rule = path_rule(GetParam().pattern);
  EXPECT_EQ(rule.shape, GetParam().shape);
  EXPECT_EQ(rule.literal, GetParam().literal);
  EXPECT_EQ(path_regex(GetParam().pattern), GetParam().regex);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Paths,
    testing::Values(
        PathCase{"Everything", "/**", Shape::everything, "", "^/"},
        PathCase{"Folder", "/a/b/**", Shape::below, "/a/b", "^/a/b(?:/|$)"},
        PathCase{"Exact", "/a/b", Shape::exact, "/a/b", "^/a/b$"},
        PathCase{"Root", "/", Shape::exact, "/", "^/$"},
        PathCase{"FolderWithSlash", "/a/", Shape::exact, "/a/", "^/a/$"},
        PathCase{"OneSegment", "/a/*", Shape::pattern, "/a", "^/a/[^/]*$"},
        PathCase{"PartOfASegment", "/a/b*c/**", Shape::pattern, "/a", "^/a/b[^/]*c(?:/|$)"},
        PathCase{"InTheMiddle", "/a/**/b", Shape::pattern, "/a", "^/a(?:/[\\s\\S]*?)?\?/b$"},
        PathCase{"AtTheBeginning", "/**/b/**", Shape::pattern, "", "^(?:/[\\s\\S]*?)?\?/b(?:/|$)"},
        PathCase{"Special", "/a .$^|()[]{}+\"'#/**", Shape::below, "/a .$^|()[]{}+\"'#",
                 "^/a\\x20\\x2e\\x24\\x5e\\x7c\\x28\\x29\\x5b\\x5d\\x7b\\x7d\\x2b\\x22\\x27\\x23(?:/|$)"},
        PathCase{"Bytes", "/\u00e4", Shape::exact, "/\u00e4", "^/\\xc3\\xa4$"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Paths, AreCodePointsForWhoMatchesThose) {
  EXPECT_EQ(path_regex("/\u00e4 b/**", RegexUnit::code_point), "^/\u00e4\\x20b(?:/|$)");
}

struct QuoteCase {
  const char* name;
  const char* text;
  const char* nginx;  ///< Null: it cannot be said.
  const char* apache;
  const char* lighttpd;
  const char* caddy;
  const char* haproxy;
  const char* yaml;
};

class Quotes : public testing::TestWithParam<QuoteCase> {};

TEST_P(Quotes, KeepWhatStandsBetweenThem) {
  const QuoteCase& each = GetParam();
  const auto expect = [](const Quoted& quoted, const char* expected) {
    EXPECT_EQ(quoted.value_or("(cannot)"), expected == nullptr ? "(cannot)" : expected);
  };
  expect(nginx_value(each.text), each.nginx);
  expect(apache_assignment("R", each.text), each.apache);
  expect(lighttpd_text(each.text), each.lighttpd);
  expect(caddy_word(each.text), each.caddy);
  expect(haproxy_word(each.text), each.haproxy);
  expect(yaml_text(each.text), each.yaml);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Quotes,
    testing::Values(
        QuoteCase{"Plain", "a b", R"("a b")", R"("R=a b")", R"("a b")", "`a b`", "'a b'", R"("a b")"},
        QuoteCase{"Quote", R"(a"b)", R"("a\"b")", R"("R=a\"b")", R"("a\"b")", R"(`a"b`)", R"('a"b')",
                  R"("a\"b")"},
        QuoteCase{"Apostrophe", "it's $1", nullptr, R"("R=it's \\$1")", R"("it's $1")", "`it's $1`",
                  R"("it's \$1")", R"("it's $1")"},
        QuoteCase{"Backslash", R"(a\b)", R"("a\\b")", R"("R=a\\\\b")", R"("a\b")", R"(`a\b`)", R"('a\b')",
                  R"("a\\b")"},
        QuoteCase{"BackslashAtTheEnd", R"(a\)", R"("a\\")", R"("R=a\\\\")", nullptr, R"(`a\`)", R"('a\')",
                  R"("a\\")"},
        QuoteCase{"Variable", "${A}", nullptr, nullptr, R"("${A}")", nullptr, "'${A}'", R"("${A}")"},
        QuoteCase{"Placeholder", "{A}", R"("{A}")", R"("R={A}")", R"("{A}")", nullptr, "'{A}'", R"("{A}")"},
        QuoteCase{"Backquote", "a`b", R"("a`b")", R"("R=a`b")", R"("a`b")", R"("a`b")", "'a`b'", R"("a`b")"},
        QuoteCase{"Ampersand", "a&b", R"("a&b")", R"("R=a\\&b")", R"("a&b")", "`a&b`", "'a&b'", R"("a&b")"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Quotes, DoubleWhatBeginsAVariableOfALog) { EXPECT_EQ(haproxy_format("50%[x]"), "'50%%[x]'"); }

TEST(Headers, OfAVariableAreAllThatCgiTakesForTheSame) {
  EXPECT_EQ(header_of("REMOTE_USER"), "Remote-User");
  EXPECT_EQ(other_headers_of("A_B", "_."), (std::vector<std::string>{"A_B", "A.B"}));
  EXPECT_EQ(other_headers_of("A_B_C", "_"), (std::vector<std::string>{"A-B_C", "A_B-C", "A_B_C"}));
  EXPECT_TRUE(other_headers_of("GROUPS", "_").empty());
  EXPECT_EQ(other_headers_of("A_B_C_D_E_F_G_H_I_J", "_"), (std::vector<std::string>{"A_B_C_D_E_F_G_H_I_J"}));
}

constexpr std::string_view start = R"([server]
processes = 1
attach = { group = "root" }
[[listen]]
name = "web"
address = "unix:/run/x.sock"
[[listen]]
name = "closed"
address = "tcp:127.0.0.1:9000"
accept_steering = false
[plugin.app]
file = "/bin/true"
[plugin.key]
file = "/bin/true"
)";

config::Config config_of(const std::string& routes, std::string_view begin = start) {
  config::Loaded loaded = config::load_text(std::string(begin) + routes, "t.toml");
  EXPECT_TRUE(loaded.config) << config::render_all(loaded);
  return std::move(*loaded.config);
}

Abilities abilities_of(std::string_view server) {
  for (const WebServer& each : web_servers()) {
    if (each.name == server) return each.abilities();
  }
  ADD_FAILURE() << "no such server";
  return {};
}

std::string route(const std::string& name, const std::string& path, const std::string& more) {
  return "[[route]]\nname = \"" + name + "\"\npath = \"" + path + "\"\n" + more + "\n";
}

/// Each entry as a letter and the pattern: p(ass), a(sk), b(oth), r(efuse); before it who goes first.
std::string told(const Site& site) {
  std::string text;
  for (const Entry& each : site.entries) {
    if (!text.empty()) text += ' ';
    for (const std::size_t before : each.yields_to) text += std::to_string(before) + '<';
    text += "pabr"[static_cast<std::size_t>(each.treatment)] + each.pattern;
  }
  return text;
}

const std::string answers = "respond = \"app\"";
const std::string guards = "authorize = \"key\"";
const std::string asked = "authorize = \"key\"\nauthorize_on = [\"authorizer\"]\nrespond = \"app\"";

struct SiteCase {
  const char* name;
  std::string routes;
  Wish wish;
  const char* entries;
  std::size_t notes = 0;
};

class Sites : public testing::TestWithParam<SiteCase> {};

TEST_P(Sites, KeepTheOrderOfRoutesAndGrantNothing) {
  const config::Config config = config_of(GetParam().routes);
  const auto site = look_at(config, GetParam().wish, abilities_of(GetParam().wish.server));
  ASSERT_TRUE(site) << site.error().message;
  EXPECT_EQ(told(site.value()), GetParam().entries);
  EXPECT_EQ(site.value().notes.size(), GetParam().notes);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Sites,
    testing::Values(
        SiteCase{"Treatments",
                 route("a", "/a/**", answers) + route("b", "/b/**", guards) + route("c", "/c/**", asked) +
                     route("d", "/d/**", guards + "\n" + answers) + route("e", "/e/**", "filter = \"app\""),
                 {"nginx", "", ""},
                 "p/a/** a/b/** b/c/** p/d/** r/e/**"},
        SiteCase{"WhoAsksNobody",
                 route("a", "/a/**", answers) + route("b", "/b/**", guards) + route("c", "/c/**", asked),
                 {"h2o", "", ""},
                 "p/a/** r/b/** r/c/**"},
        SiteCase{"NoSteering",
                 route("a", "/a/**", answers) + route("b", "/b/**", guards),
                 {"nginx", "", "closed"},
                 "p/a/** r/b/**",
                 1},
        SiteCase{"AnEarlierOneIsInside",
                 route("a", "/a/b/**", answers) + route("b", "/a/**", guards),
                 {"nginx", "", ""},
                 "p/a/b/** 0<a/a/**"},
        SiteCase{"OfTwoThatArePassedOnNoneGoesFirst",
                 route("a", "/a/b/**", answers) + route("b", "/a/**", answers),
                 {"nginx", "", ""},
                 "p/a/b/** p/a/**"},
        SiteCase{"WhatIsNeverReachedIsLeftOut",
                 route("a", "/a/**", guards) + route("b", "/a/b/**", answers),
                 {"nginx", "", ""},
                 "a/a/**",
                 1},
        SiteCase{"AFileAndWhatIsBehindIt", route("a", "/a", guards), {"lighttpd", "", ""}, "a/a/**"},
        SiteCase{"ButNotAnotherRoute",
                 route("x", "/x/**", answers) + route("a", "/a", guards) + route("b", "/a/b", answers) +
                     route("c", "/**", guards),
                 {"lighttpd", "", ""},
                 "p/x/** a/a p/a/b 0<1<2<a/**",
                 1},
        SiteCase{"WhatIsBehindAFileGoesLast",
                 route("a", "/a", guards) + route("b", "/**/c", guards) + route("c", "/a/b/**", answers),
                 {"lighttpd", "", ""},
                 "a/a a/**/c 1<p/a/b/** 1<2<a/a/** 2<3<a/**/c/**"},
        SiteCase{"OtherHostsAreLeftOut",
                 route("a", "/a/**", guards + "\nhosts = [\"a.example\"]") + route("b", "/a/**", answers),
                 {"nginx", "b.example", ""},
                 "p/a/**",
                 1},
        SiteCase{"ThisHostIsKept",
                 route("a", "/a/**", guards + "\nhosts = [\"a.example\"]") + route("b", "/**", answers),
                 {"nginx", "a.example", ""},
                 "a/a/** 0<p/**"},
        SiteCase{"AnUnknownHostIsRefused",
                 route("a", "/a/**", guards + "\nhosts = [\"a.example\"]"),
                 {"nginx", "", ""},
                 "r/a/**",
                 1},
        SiteCase{"WhatMethodsLeaveReachesNobodyUnasked",
                 route("a", "/a/b/**", answers + "\nmethods = [\"POST\"]") + route("b", "/a/**", asked),
                 {"nginx", "", ""},
                 "r/a/b/** 0<b/a/**"},
        SiteCase{"OtherListeners",
                 route("a", "/a/**", answers + "\nlisten = [\"closed\"]") + route("b", "/b/**", answers),
                 {"nginx", "", ""},
                 "p/b/**",
                 1},
        SiteCase{"AttachedSockets",
                 route("a", "/a/**", answers + "\nlisten = [\"web\"]") +
                     route("b", "/b/**", answers + "\nlisten = [\"spawned\"]"),
                 {"apache-mod_fcgid", "", ""},
                 "p/b/**",
                 1},
        SiteCase{"PhasesOfAnotherServer",
                 route("a", "/a/**", guards + "\nphase = \"authorizer\""),
                 {"nginx", "", ""},
                 "",
                 1},
        SiteCase{"PhasesOfOnePath",
                 route("a", "/a/**", guards + "\nphase = \"authorizer\"") +
                     route("b", "/a/**", guards + "\nphase = \"authenticator\"") +
                     route("c", "/a/b/**", guards),
                 {"apache-mod_fcgid", "", ""},
                 "a/a/**",
                 1},
        SiteCase{"ANameThatCannotBeSaid", route("$x", "/a/**", guards), {"nginx", "", ""}, "r/a/**"}),
    [](const auto& each) { return std::string(each.param.name); });

struct NoSite {
  const char* name;
  const char* begin;
  Wish wish;
  const char* message;
};

class NoSites : public testing::TestWithParam<NoSite> {};

TEST_P(NoSites, SayWhichListenerToAdd) {
  const std::string plugins = "[plugin.app]\nfile = \"/bin/true\"\n";
  const config::Config config = config_of(route("a", "/a/**", answers), GetParam().begin + plugins);
  const auto site = look_at(config, GetParam().wish, abilities_of(GetParam().wish.server));
  ASSERT_FALSE(site);
  EXPECT_EQ(site.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, NoSites,
    testing::Values(NoSite{"NoTcp",
                           "[[listen]]\naddress = \"unix:/run/x.sock\"\n",
                           {"apache-authnz", "", ""},
                           "t.toml: no [[listen]] that apache-authnz can connect to: add one with address = "
                           "\"tcp:127.0.0.1:9000\" (it knows no unix sockets)"},
                    NoSite{"NoAddress",
                           "[[listen]]\nname = \"web\"\naddress = \"systemd:web\"\n",
                           {"nginx", "", ""},
                           "t.toml: no [[listen]] that nginx can connect to: add one with address = "
                           "\"unix:/run/trivet/trivet.sock\" and the web server's group"},
                    NoSite{"NoSuchName",
                           "[[listen]]\nname = \"web\"\naddress = \"unix:/run/x.sock\"\n",
                           {"nginx", "", "wbe"},
                           "t.toml: there is no listener \"wbe\": did you mean \"web\"?"},
                    NoSite{"NoAttach",
                           "[[listen]]\naddress = \"unix:/run/x.sock\"\n",
                           {"apache-mod_fcgid", "", ""},
                           "t.toml: apache-mod_fcgid starts `trivet attach`, and [server] has no `attach`: "
                           "add attach = { group "
                           "= \"www-data\" }, the group of the web server"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Sites, ConnectToLoopbackWhereTheHostListensEverywhere) {
  const config::Config config = config_of(route("a", "/a/**", answers),
                                          "[[listen]]\naddress = \"tcp:[::]:9000\"\nallow_from = "
                                          "[\"::/0\"]\n[plugin.app]\nfile = \"/bin/true\"\n");
  const auto site = look_at(config, {"nginx", "", ""}, abilities_of("nginx"));
  ASSERT_TRUE(site) << site.error().message;
  EXPECT_EQ(site.value().host, "[::1]");
  EXPECT_EQ(site.value().port, 9000);
}

TEST(Sites, TellTheHostThatTheyAreForInEveryLanguage) {
  const config::Config config =
      config_of(route("a", "/a/**", answers),
                "[server]\nprocesses = 1\nattach = { group = \"root\" }\n[[listen]]\naddress = "
                "\"tcp:127.0.0.1:9000\"\n[plugin.app]\nfile = \"/bin/true\"\n");
  for (const WebServer& each : web_servers()) {
    const auto site = look_at(config, {std::string(each.name), "a.example", ""}, each.abilities());
    ASSERT_TRUE(site) << site.error().message;
    const std::string text = each.write(site.value());
    EXPECT_NE(text.find("TRIVET_HOST"), std::string::npos) << text;
    EXPECT_NE(text.find("a.example"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace trivet::cli::snippet
