#include "runtime/cgi/dialect.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace trivet::cgi {
namespace {

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

struct ChoiceCase {
  const char* name;
  Pairs params;
  std::string_view dialect;
  std::string_view by;
  bool is_unknown = false;
};

class Choice : public testing::TestWithParam<ChoiceCase> {};

TEST_P(Choice, IsMadeByTheOperatorFirstThenByWhatTheServerSaysOfItself) {
  Params params;
  for (const auto& [name, value] : GetParam().params) params.add(name, value);
  ASSERT_FALSE(params.settle());
  const ChosenDialect chosen = choose_dialect(params);
  EXPECT_EQ(chosen.dialect->name, GetParam().dialect);
  EXPECT_EQ(chosen.by, GetParam().by);
  EXPECT_EQ(chosen.is_unknown, GetParam().is_unknown);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Choice,
    testing::Values(
        ChoiceCase{"Nothing", {}, "fastcgi", ""},
        ChoiceCase{"AnotherServer", {{"SERVER_SOFTWARE", "OpenBSD httpd"}}, "fastcgi", ""},
        ChoiceCase{"Nginx", {{"SERVER_SOFTWARE", "nginx/1.22.1"}}, "nginx", "SERVER_SOFTWARE"},
        ChoiceCase{"Caddy", {{"SERVER_SOFTWARE", "Caddy/2.6.2"}}, "caddy", "SERVER_SOFTWARE"},
        ChoiceCase{"HAProxy", {{"SERVER_SOFTWARE", "HAProxy 2.6.12"}}, "haproxy", "SERVER_SOFTWARE"},
        ChoiceCase{"Lighttpd", {{"SERVER_SOFTWARE", "lighttpd/1.4.69"}}, "lighttpd", "SERVER_SOFTWARE"},
        ChoiceCase{"NameInAnotherPlace", {{"SERVER_SOFTWARE", "my nginx"}}, "fastcgi", ""},
        ChoiceCase{"ModFcgid",
                   {{"SERVER_SOFTWARE", "Apache/2.4"}, {"FCGI_APACHE_ROLE", "ACCESS_CHECKER"}},
                   "mod_fcgid",
                   "FCGI_APACHE_ROLE"},
        ChoiceCase{"ApacheThatCallsItselfNginx",
                   {{"SERVER_SOFTWARE", "nginx"}, {"FCGI_APACHE_ROLE", "AUTHORIZER"}},
                   "mod_fcgid",
                   "FCGI_APACHE_ROLE"},
        ChoiceCase{"ModAuthnzFcgi",
                   {{"SERVER_SOFTWARE", "Apache/2.4"},
                    {"FCGI_ROLE", "AUTHORIZER"},
                    {"FCGI_APACHE_ROLE", "AUTHENTICATOR"}},
                   "mod_authnz_fcgi",
                   "FCGI_ROLE"},
        ChoiceCase{"ModAuthnzFcgiForBasic", {{"FCGI_ROLE", "AUTHORIZER"}}, "mod_authnz_fcgi", "FCGI_ROLE"},
        ChoiceCase{"NginxThatSaysARole",
                   {{"SERVER_SOFTWARE", "nginx/1.22.1"}, {"FCGI_ROLE", "AUTHORIZER"}},
                   "nginx",
                   "SERVER_SOFTWARE"},
        ChoiceCase{"Said", {{"TRIVET_DIALECT", "caddy"}}, "caddy", "TRIVET_DIALECT"},
        ChoiceCase{"SaidAgainstTheServer",
                   {{"TRIVET_DIALECT", "fastcgi"}, {"SERVER_SOFTWARE", "nginx/1.22.1"}},
                   "fastcgi",
                   "TRIVET_DIALECT"},
        ChoiceCase{"SaidAgainstApache",
                   {{"TRIVET_DIALECT", "haproxy"}, {"FCGI_APACHE_ROLE", "AUTHORIZER"}},
                   "haproxy",
                   "TRIVET_DIALECT"},
        ChoiceCase{"SaidWrongly",
                   {{"TRIVET_DIALECT", "Nginx"}, {"SERVER_SOFTWARE", "nginx/1.22.1"}},
                   "fastcgi",
                   "TRIVET_DIALECT",
                   true},
        ChoiceCase{"LongAndOdd", {{"TRIVET_DIALECT", "nginx\xff\n"}}, "fastcgi", "TRIVET_DIALECT", true}),
    [](const auto& each) { return each.param.name; });

const Dialect& named(std::string_view name) {
  Params params;
  params.add("TRIVET_DIALECT", name);
  EXPECT_FALSE(params.settle());
  const ChosenDialect chosen = choose_dialect(params);
  EXPECT_EQ(chosen.dialect->name, name);
  return *chosen.dialect;
}

constexpr std::string_view names[] = {"fastcgi", "lighttpd", "mod_fcgid", "mod_authnz_fcgi",
                                      "nginx",   "caddy",    "haproxy"};

std::string translated(std::string_view dialect, int status, const Pairs& fields) {
  ResponseHead head;
  EXPECT_TRUE(head.set_status(status));
  for (const auto& [name, value] : fields) EXPECT_EQ(head.add(name, value), "");
  translate_denial(named(dialect), head);
  std::string text = std::to_string(head.status());
  for (std::size_t i = 0; i < head.size(); ++i)
    text += " " + std::string(head.at(i).name) + "=" + std::string(head.at(i).value);
  return text;
}

TEST(Dialects, OfAllStatusesOnlyNginxChangesAnyAndNoneIsAGrantAfterwards) {
  for (const std::string_view name : names) {
    const Dialect& dialect = named(name);
    for (int status = 300; status <= 599; ++status) {
      const bool mapped = name == "nginx" && status < 500 && status != 401 && status != 403;
      EXPECT_EQ(dialect.shown(status), mapped ? 401 : status) << name;
    }
  }
}

TEST(Dialects, NginxLearnsTheTrueStatusAndWhatBelongsToItUnderOtherNames) {
  const Pairs login = {{"location", "/login?to=%2Fx"}, {"Set-Cookie", "state=1"}, {"Vary", "Cookie"}};
  EXPECT_EQ(translated("nginx", 302, login),
            "401 Set-Cookie=state=1 Vary=Cookie X-Trivet-Location=/login?to=%2Fx X-Trivet-Status=302");
  EXPECT_EQ(translated("nginx", 429, {{"Retry-After", "7"}}),
            "401 X-Trivet-Retry-After=7 X-Trivet-Status=429");
  EXPECT_EQ(translated("nginx", 404, {}), "401 X-Trivet-Status=404");
  EXPECT_EQ(translated("nginx", 407, {{"WWW-Authenticate", "Basic"}}),
            "401 WWW-Authenticate=Basic X-Trivet-Status=407");
}

TEST(Dialects, WhatNginxKnowsStaysAsItIs) {
  const Pairs fields = {{"WWW-Authenticate", "Basic"}, {"Retry-After", "7"}, {"Location", "/x"}};
  for (const char* status : {"401", "403", "500", "503", "504"}) {
    EXPECT_EQ(translated("nginx", std::stoi(status), fields),
              std::string(status) + " WWW-Authenticate=Basic Retry-After=7 Location=/x");
  }
}

TEST(Dialects, OnlyTheHostSaysToNginxWhatTheTrueStatusIs) {
  const Pairs said = {
      {"x-trivet-status", "302"}, {"X-Trivet-Location", "/evil"}, {"X-Trivet-Set-Cookie-2", "a"}};
  EXPECT_EQ(translated("nginx", 403, said), "403");
  EXPECT_EQ(translated("nginx", 429, said), "401 X-Trivet-Status=429");
}

TEST(Dialects, OfSeveralCookiesNginxGetsEachUnderAName) {
  EXPECT_EQ(translated("nginx", 403,
                       {{"Set-Cookie", "a=1"}, {"X", "y"}, {"set-cookie", "b=2"}, {"Set-Cookie", "c"}}),
            "403 X=y Set-Cookie=a=1 X-Trivet-Set-Cookie-2=b=2 X-Trivet-Set-Cookie-3=c");
  EXPECT_EQ(translated("nginx", 403, {{"set-cookie", "a=1"}}), "403 set-cookie=a=1");
}

TEST(Dialects, OfSeveralChallengesNginxGetsAList) {
  EXPECT_EQ(
      translated("nginx", 401, {{"WWW-Authenticate", "Bearer"}, {"X", "y"}, {"www-authenticate", "Basic"}}),
      "401 X=y WWW-Authenticate=Bearer, Basic");
  EXPECT_EQ(translated("nginx", 401, {{"www-authenticate", "Basic"}}), "401 www-authenticate=Basic");
}

TEST(Dialects, OnlyModAuthnzFcgiWantsAPageInOneRecordAndOnlyAPage) {
  const auto wants = [](std::string_view dialect, std::string_view type) {
    ResponseHead head;
    if (!type.empty()) {
      EXPECT_EQ(head.add("Content-Type", type), "");
    }
    return wants_one_record(named(dialect), head);
  };
  for (const std::string_view name : names) EXPECT_EQ(wants(name, "text/html"), name == "mod_authnz_fcgi");
  for (const char* page : {"TEXT/HTML", "text/html;charset=utf-8", "text/html ; a=b"})
    EXPECT_TRUE(wants("mod_authnz_fcgi", page)) << page;
  for (const char* other : {"", "text/plain", "text/htmlx", "text/htm", "application/json"})
    EXPECT_FALSE(wants("mod_authnz_fcgi", other)) << other;
}

TEST(Dialects, AllOthersSayADenialAsItIs) {
  const Pairs fields = {{"Location", "/x"},
                        {"Retry-After", "7"},
                        {"X-Trivet-Status", "1"},
                        {"Set-Cookie", "a"},
                        {"Set-Cookie", "b"}};
  for (const std::string_view name : names) {
    if (name == "nginx") continue;
    for (const char* status : {"302", "401", "403", "429", "500"}) {
      EXPECT_EQ(
          translated(name, std::stoi(status), fields),
          std::string(status) + " Location=/x Retry-After=7 X-Trivet-Status=1 Set-Cookie=a Set-Cookie=b");
    }
  }
}

}  // namespace
}  // namespace trivet::cgi
