#include "tests/unit/config/broken_files.hpp"

namespace trivet::config {
namespace {

constexpr BrokenFile route_files[] = {
    {"UnknownRouteKey", section,
     R"([[route]]
respnd = "app"
filter = "app"
)",
     R"({}/t.toml:4:1: error: unknown key `respnd` in [[route]]
    4 | respnd = "app"
      | ^^^^^^ did you mean `respond`?
)"},
    {"RouteDoesNothing", section,
     R"([[route]]
path = "/x"
)",
     R"({}/t.toml:3:1: error: this [[route]] does nothing: it has no `authorize`, `respond` or `filter`
    3 | [[route]]
      | ^^^^^^^^^
)"},
    {"NoSuchPhase", section,
     R"([[route]]
authorize = "deny"
phase = ["authorizer", "authenticate"]
)",
     R"({}/t.toml:5:24: error: "authenticate" is not a phase
    5 | phase = ["authorizer", "authenticate"]
      |                        ^^^^^^^^^^^^^^ did you mean "authenticator"?
)"},
    {"APhaseTwice", section,
     R"([[route]]
authorize = "deny"
phase = ["authorizer", "authorizer"]
)",
     R"({}/t.toml:5:24: error: `phase` holds "authorizer" twice
    5 | phase = ["authorizer", "authorizer"]
      |                        ^^^^^^^^^^^^
)"},
    {"APhaseWithoutGuards", section,
     R"([[route]]
phase = "authorizer"
)",
     R"({}/t.toml:3:1: error: this [[route]] does nothing: it has no `authorize`, `respond` or `filter`
    3 | [[route]]
      | ^^^^^^^^^
{}/t.toml:4:1: error: `phase` without `authorize`: this route has no guards
    4 | phase = "authorizer"
      | ^^^^^
)"},
    {"APhaseWithWhatNeverRuns", section,
     R"([[route]]
authorize = "deny"
phase = "authorizer"
respond = "app"
)",
     R"({}/t.toml:6:1: error: `respond` never runs on a route with `phase`, which takes only authorizer requests of Apache
    6 | respond = "app"
      | ^^^^^^^ give it a route of its own
)"},
    {"NoSuchPlugin", section,
     R"([[route]]
respond = "ap"
)",
     R"({}/t.toml:4:11: error: no plugin "ap"
    4 | respond = "ap"
      |           ^^^^ did you mean "app"?
)"},
    {"NoSuchGuard", section,
     R"([[route]]
authorize = ["allow", "dney"]
)",
     R"({}/t.toml:4:23: error: no plugin "dney"
    4 | authorize = ["allow", "dney"]
      |                       ^^^^^^ did you mean "deny"?
)"},
    {"NoSuchFilter", section,
     R"([[route]]
filter = ["app", "markdown"]
)",
     R"({}/t.toml:4:18: error: no plugin "markdown"
    4 | filter = ["app", "markdown"]
      |                  ^^^^^^^^^^ known: "app"
)"},
    {"NoPluginAtAll", whole_file,
     R"([[listen]]
address = "fd:3"
[[route]]
respond = "hello"
)",
     R"({}/t.toml:4:11: error: no plugin "hello"
    4 | respond = "hello"
      |           ^^^^^^^ define it: [plugin.hello]
)"},
    {"RespondWithAGuard", section,
     R"([[route]]
respond = "allow"
)",
     R"({}/t.toml:4:11: error: "allow" is a built-in guard: it cannot stand in `respond`
    4 | respond = "allow"
      |           ^^^^^^^
)"},
    {"FilterWithAGuard", section,
     R"([[route]]
filter = "deny"
)",
     R"({}/t.toml:4:10: error: "deny" is a built-in guard: it cannot stand in `filter`
    4 | filter = "deny"
      |          ^^^^^^
)"},
    {"RespondWithAList", section,
     R"([[route]]
respond = ["app"]
)",
     R"({}/t.toml:4:11: error: `respond` expects one name, found a list
    4 | respond = ["app"]
      |           ^^^^^^^ one plugin answers; `filter` takes several
)"},
    {"AuthorizeOnWithoutAuthorize", section,
     R"([[route]]
respond = "app"
authorize_on = ["filter"]
)",
     R"({}/t.toml:5:1: error: `authorize_on` without `authorize`: this route has no guards
    5 | authorize_on = ["filter"]
      | ^^^^^^^^^^^^
)"},
    {"AuthorizeOnNoRole", section,
     R"([[route]]
authorize = "deny"
authorize_on = ["responders", "all"]
)",
     R"({}/t.toml:5:17: error: "responders" is not a role
    5 | authorize_on = ["responders", "all"]
      |                 ^^^^^^^^^^^^ did you mean "responder"?
{}/t.toml:5:31: error: "all" is not a role
    5 | authorize_on = ["responders", "all"]
      |                               ^^^^^ known: "responder", "authorizer", "filter"
)"},
    {"AuthorizeOnNothing", section,
     R"([[route]]
authorize = "deny"
authorize_on = []
)",
     R"({}/t.toml:5:16: error: `authorize_on` is an empty list
    5 | authorize_on = []
      |                ^^ leave it out for the default
)"},
    {"AuthorizeOnOneRoleTwice", section,
     R"([[route]]
authorize = "deny"
authorize_on = ["filter", "filter"]
)",
     R"({}/t.toml:5:27: error: `authorize_on` holds "filter" twice
    5 | authorize_on = ["filter", "filter"]
      |                           ^^^^^^^^
)"},
    {"PathWithoutSlash", section,
     R"([[route]]
respond = "app"
path = "docs/**"
)",
     R"({}/t.toml:5:8: error: `path` does not start with /
    5 | path = "docs/**"
      |        ^^^^^^^^^ did you mean "/docs/**"?
)"},
    {"PathWithDots", section,
     R"([[route]]
respond = "app"
path = "/a/../b"
)",
     R"({}/t.toml:5:8: error: `path` holds the dot segment ".."
    5 | path = "/a/../b"
      |        ^^^^^^^^^ requests with one are refused before any route
)"},
    {"PathWithStarsInASegment", section,
     R"([[route]]
respond = "app"
path = "/docs/**.md"
)",
     R"({}/t.toml:5:8: error: `path` holds `**` beside other characters
    5 | path = "/docs/**.md"
      |        ^^^^^^^^^^^^^ `**` is a whole segment, as in "/docs/**"
)"},
    {"PathWithPercentEscape", section,
     R"([[route]]
respond = "app"
path = "/a%20b"
)",
     R"({}/t.toml:5:8: error: `path` holds a percent escape
    5 | path = "/a%20b"
      |        ^^^^^^^^ paths are decoded before they are matched: write the character
)"},
    {"PathWithQuery", section,
     R"([[route]]
respond = "app"
path = "/a?b=c"
)",
     R"({}/t.toml:5:8: error: `path` holds a `?`
    5 | path = "/a?b=c"
      |        ^^^^^^^^ a path is matched without its query; `*` stands for any characters
)"},
    {"PathIsAList", section,
     R"([[route]]
respond = "app"
path = ["/a", "/b"]
)",
     R"({}/t.toml:5:8: error: `path` expects a text in quotes, found a list
    5 | path = ["/a", "/b"]
      |        ^^^^^^^^^^^^
)"},
};

INSTANTIATE_TEST_SUITE_P(Route, BrokenFiles, testing::ValuesIn(route_files), broken_file_name);

}  // namespace
}  // namespace trivet::config
