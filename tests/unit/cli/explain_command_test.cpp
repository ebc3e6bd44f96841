#include "runtime/cli/explain_command.hpp"

#include <gtest/gtest.h>

#include "runtime/config/load.hpp"

namespace trivet::cli {
namespace {

constexpr std::string_view site = R"([[listen]]
name = "web"
address = "unix:/run/x.sock"
[[listen]]
address = "fd:9"
accept_steering = false
[plugin.app]
file = "/bin/true"
[plugin.key]
file = "/bin/true"
[plugin.upper]
file = "/bin/true"
[[route]]
name = "inner"
path = "/inner/**"
listen = ["fd:9"]
respond = "app"
[[route]]
name = "posts"
path = "/app/**"
methods = ["POST"]
respond = "app"
[[route]]
name = "other-host"
path = "/app/**"
hosts = ["other.example"]
respond = "app"
[[route]]
name = "asks"
path = "/app/**"
phase = "authenticator"
authorize = "key"
[[route]]
name = "app"
path = "/app/**"
authorize = ["key", "allow"]
variables = ["REMOTE_USER", "GROUPS"]
respond = "app"
filter = ["upper"]
[[route]]
name = "private"
path = "/private/**"
authorize = "key"
authorize_on = ["authorizer"]
respond = "app"
[[route]]
name = "index"
path = "/index.php/**"
respond = "app"
[[route]]
name = "filtered"
path = "/filtered/**"
respond = "app"
filter = [{ plugin = "upper", types = ["text/*"], methods = ["GET"], status = [200, 404], min_size = "1KiB", on_encoded = "skip" }]
)";

std::string without_folder(std::string text, const std::string& folder) {
  for (std::size_t at = 0; (at = text.find(folder + "/", at)) != std::string::npos;)
    text.erase(at, folder.size() + 1);
  return text;
}

struct ExplainCase {
  const char* name;
  const char* method;
  const char* uri;
  protocol::Role role;
  std::vector<std::pair<std::string, std::string>> params;
  const char* listener;
  bool taken;
  const char* text;
};

class Explains : public testing::TestWithParam<ExplainCase> {};

TEST_P(Explains, WhatBecomesOfARequestAndWhy) {
  const ExplainCase& each = GetParam();
  const config::Loaded loaded = config::load_text(site, "/etc/t.toml");
  ASSERT_TRUE(loaded.config) << config::render_all(loaded);
  ExplainCommand command;
  command.method = each.method;
  command.uri = each.uri;
  command.role = each.role;
  command.params = each.params;
  command.listener = each.listener;
  const Explanation explanation = explain(*loaded.config, command);
  EXPECT_EQ(without_folder(explanation.text, "/etc"), each.text);
  EXPECT_EQ(explanation.taken, each.taken);
}

constexpr auto responder = protocol::Role::responder;
constexpr auto authorizer = protocol::Role::authorizer;

INSTANTIATE_TEST_SUITE_P(
    Table, Explains,
    testing::Values(
        ExplainCase{"FilteredIfItFits",
                    "GET",
                    "/",
                    responder,
                    {{"TRIVET_ROUTE", "filtered"}},
                    "",
                    true,
                    R"(listener     web (unix:/run/x.sock)
slice        responder
route        filtered (t.toml:50), path /filtered/**
source       app (/bin/true)
filter       upper (/bin/true), if type text/*; method GET; status 200, 404; size from 1KiB; not encoded
)"},
        ExplainCase{"NotFilteredForThisMethod",
                    "PUT",
                    "/",
                    responder,
                    {{"TRIVET_ROUTE", "filtered"}},
                    "",
                    true,
                    R"(listener     web (unix:/run/x.sock)
slice        responder
route        filtered (t.toml:50), path /filtered/**
source       app (/bin/true)
filter       upper (/bin/true), if type text/*; method GET; status 200, 404; size from 1KiB; not encoded: left out for this method
)"},
        ExplainCase{
            "Guarded", "GET", "/app/x", responder, {}, "", true, R"(listener     web (unix:/run/x.sock)
slice        responder
route        app (t.toml:33), path /app/**
guard        key (/bin/true)
guard        allow (built in)
variables    REMOTE_USER, GROUPS
source       app (/bin/true)
filter       upper (/bin/true)

Routes before it, and what of them does not fit:
  inner        listens on fd:9 (t.toml:13)
  posts        methods POST (t.toml:18)
  other-host   hosts other.example (t.toml:23)
  asks         phase authenticator (t.toml:28)
)"},
        ExplainCase{"NoRoute",
                    "GET",
                    "/nowhere",
                    responder,
                    {},
                    "",
                    false,
                    R"(listener     web (unix:/run/x.sock)
slice        responder
answer       404: no route

Routes before it, and what of them does not fit:
  inner        listens on fd:9 (t.toml:13)
  posts        path /app/** (t.toml:18)
  other-host   path /app/** (t.toml:23)
  asks         path /app/** (t.toml:28)
  app          path /app/** (t.toml:33)
  private      path /private/** (t.toml:40)
  index        path /index.php/** (t.toml:46)
  filtered     path /filtered/** (t.toml:50)
)"},
        ExplainCase{"Named",
                    "GET",
                    "/x",
                    responder,
                    {{"TRIVET_ROUTE", "private"}, {"TRIVET_ROLE", "authorizer"}},
                    "",
                    true,
                    R"(listener     web (unix:/run/x.sock)
slice        authorizer
dialect      fastcgi
route        private (t.toml:40), path /private/**
guard        key (/bin/true)
)"},
        ExplainCase{
            "ForNginx",
            "GET",
            "/x",
            responder,
            {{"TRIVET_ROUTE", "private"}, {"TRIVET_ROLE", "authorizer"}, {"SERVER_SOFTWARE", "nginx/1.22.1"}},
            "",
            true,
            R"(listener     web (unix:/run/x.sock)
slice        authorizer
dialect      nginx, by SERVER_SOFTWARE; other 4xx and redirects go as 401 and X-Trivet-Status; an allow may set cookies
route        private (t.toml:40), path /private/**
guard        key (/bin/true)
)"},
        ExplainCase{"ForCaddy",
                    "GET",
                    "/x",
                    responder,
                    {{"TRIVET_ROUTE", "private"}, {"TRIVET_ROLE", "authorizer"}, {"TRIVET_DIALECT", "caddy"}},
                    "",
                    true,
                    R"(listener     web (unix:/run/x.sock)
slice        authorizer
dialect      caddy, by TRIVET_DIALECT; an allow may set cookies
route        private (t.toml:40), path /private/**
guard        key (/bin/true)
)"},
        ExplainCase{"InNoDialectThatThereIs",
                    "GET",
                    "/x",
                    authorizer,
                    {{"TRIVET_ROUTE", "private"}, {"TRIVET_DIALECT", "ngin\nx"}},
                    "",
                    true,
                    R"(listener     web (unix:/run/x.sock)
slice        authorizer
dialect      fastcgi: TRIVET_DIALECT is "ngin\nx", which is none
route        private (t.toml:40), path /private/**
guard        key (/bin/true)
)"},
        ExplainCase{"GuardsLeftOut",
                    "GET",
                    "/private/x",
                    responder,
                    {{"HTTP_HOST", "other.example"}},
                    "",
                    true,
                    R"(listener     web (unix:/run/x.sock)
slice        responder
route        private (t.toml:40), path /private/**
guards       none in this slice: `authorize_on` leaves it out, t.toml:40
source       app (/bin/true)

Routes before it, and what of them does not fit:
  inner        listens on fd:9 (t.toml:13)
  posts        path /app/** (t.toml:18)
  other-host   path /app/** (t.toml:23)
  asks         path /app/** (t.toml:28)
  app          path /app/** (t.toml:33)
)"},
        ExplainCase{"Phase",
                    "GET",
                    "/app/x",
                    authorizer,
                    {{"FCGI_APACHE_ROLE", "AUTHENTICATOR"}},
                    "",
                    true,
                    R"(listener     web (unix:/run/x.sock)
slice        authorizer, phase authenticator
dialect      mod_fcgid, by FCGI_APACHE_ROLE
route        asks (t.toml:28), path /app/**
guard        key (/bin/true)

Routes before it, and what of them does not fit:
  inner        listens on fd:9 (t.toml:13)
  posts        methods POST (t.toml:18)
  other-host   hosts other.example (t.toml:23)
)"},
        ExplainCase{"RewrittenPath",
                    "GET",
                    "/index.php/x",
                    responder,
                    {{"SCRIPT_NAME", "/app"}, {"PATH_INFO", "/x"}},
                    "",
                    true,
                    R"(listener     web (unix:/run/x.sock)
slice        responder
route        index (t.toml:46), path /index.php/**
guard        key (/bin/true), for SCRIPT_NAME and PATH_INFO lead to the route app (t.toml:33)
guard        allow (built in), for SCRIPT_NAME and PATH_INFO lead to the route app (t.toml:33)
source       app (/bin/true)

Routes before it, and what of them does not fit:
  inner        listens on fd:9 (t.toml:13)
  posts        path /app/** (t.toml:18)
  other-host   path /app/** (t.toml:23)
  asks         path /app/** (t.toml:28)
  app          path /app/** (t.toml:33)
  private      path /private/** (t.toml:40)
)"},
        ExplainCase{
            "OddPath", "GET", "/app//x", responder, {}, "", false, R"(listener     web (unix:/run/x.sock)
slice        responder
route        app (t.toml:33), path /app/**
guard        key (/bin/true)
guard        allow (built in)
variables    REMOTE_USER, GROUPS
source       app (/bin/true)
filter       upper (/bin/true)
answer       400: the path has an empty segment or is not UTF-8, which a guarded route refuses

Routes before it, and what of them does not fit:
  inner        listens on fd:9 (t.toml:13)
  posts        methods POST (t.toml:18)
  other-host   hosts other.example (t.toml:23)
  asks         phase authenticator (t.toml:28)
)"},
        ExplainCase{"DotSegment",
                    "GET",
                    "/app/%2e%2e/x",
                    responder,
                    {},
                    "",
                    false,
                    R"(listener     web (unix:/run/x.sock)
slice        responder
answer       400: REQUEST_URI is refused: a dot segment
)"},
        ExplainCase{"SteeringRefused",
                    "GET",
                    "/app/x",
                    responder,
                    {{"TRIVET_ROUTE", "app"}},
                    "fd:9",
                    false,
                    R"(listener     fd:9
slice        responder
answer       500: the request carries TRIVET_* parameters, which this listener does not accept
)"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Explaining, ShowsWhatStandsInAGroupAndWhatEachGuardMayDo) {
  const config::Loaded loaded = config::load_text(R"([[listen]]
name = "web"
address = "unix:/run/x.sock"
[plugin.key]
file = "/bin/true"
[[route]]
name = "mixed"
authorize = ["key", { any = [{ plugin = "allow", methods = ["OPTIONS", "HEAD"] }, { all = ["key", "deny"] }] },
  { plugin = "key", shadow = true }, { plugin = "key", on_error = "allow", cache = { ttl = "1h" } }]
)",
                                                  "/etc/t.toml");
  ASSERT_TRUE(loaded.config) << config::render_all(loaded);
  ExplainCommand command;
  command.method = "GET";
  command.uri = "/x";
  command.role = authorizer;
  EXPECT_EQ(without_folder(explain(*loaded.config, command).text, "/etc"),
            R"(listener     web (unix:/run/x.sock)
slice        authorizer
dialect      fastcgi
route        mixed (t.toml:6), path /**
guard        key (/bin/true)
guard        any of [allow (built in), for OPTIONS, HEAD only; all of [key (/bin/true); deny (built in)]]
guard        key (/bin/true), a shadow
guard        key (/bin/true), on_error allow, remembered for 1h, a deny for 1s
)");
}

TEST(ExplainsSources, AnApplicationWithItsAddressAndWhoSaysWhichScript) {
  const config::Loaded loaded = config::load_text(R"([[listen]]
address = "unix:/run/x.sock"
[[route]]
name = "php"
path = "/php/**"
respond = { fastcgi = "unix:/run/php.sock", root = "/srv/php" }
[[route]]
name = "told"
respond = { fastcgi = "tcp:127.0.0.1:9000" }
)",
                                                  "/etc/t.toml");
  ASSERT_TRUE(loaded.config) << config::render_all(loaded);
  ExplainCommand command;
  command.method = "GET";
  command.uri = "/php/x.php";
  EXPECT_NE(
      explain(*loaded.config, command)
          .text.find("source       FastCGI application at unix:/run/php.sock, scripts below /srv/php\n"),
      std::string::npos);
  command.uri = "/x";
  EXPECT_NE(
      explain(*loaded.config, command)
          .text.find("source       FastCGI application at tcp:127.0.0.1:9000; the web server says which "
                     "script\n"),
      std::string::npos);
}

}  // namespace
}  // namespace trivet::cli
