#include "tests/unit/config/broken_files.hpp"

namespace trivet::config {
namespace {

constexpr BrokenFile guard_files[] = {
    {"AuthorizeWithNothing", section,
     R"([[route]]
authorize = []
respond = "app"
)",
     R"({}/t.toml:4:13: error: `authorize` is an empty list
    4 | authorize = []
      |             ^^ "deny" refuses everybody, "allow" nobody; without the key the route is open
)"},
    {"AuthorizeWithABoolean", section,
     R"([[route]]
authorize = true
)",
     R"({}/t.toml:4:13: error: `authorize` expects guards, found the boolean true
    4 | authorize = true
      |             ^^^^ the name of an authorizer plugin, a table, or a list of them
)"},
    {"AuthorizeWithABooleanInAList", section,
     R"([[route]]
authorize = ["allow", 7]
)",
     R"({}/t.toml:4:23: error: `authorize` expects guards, found the integer 7
    4 | authorize = ["allow", 7]
      |                       ^ the name of an authorizer plugin, a table, or a list of them
)"},
    {"AuthorizeWithAnUnknownGuardDeepInside", section,
     R"([[route]]
authorize = [{ any = ["allow", { all = [{ plugin = "gard" }] }] }]
[plugin.guard]
)",
     R"({}/t.toml:4:32: warning: the group `all` never runs: "allow" stands before it
    4 | authorize = [{ any = ["allow", { all = [{ plugin = "gard" }] }] }]
      |                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
{}/t.toml:4:52: error: no plugin "gard"
    4 | authorize = [{ any = ["allow", { all = [{ plugin = "gard" }] }] }]
      |                                                    ^^^^^^ did you mean "guard"?
)"},
    {"AGuardWithAnUnknownKey", section,
     R"([[route]]
authorize = { plugin = "app", on_eror = "deny" }
)",
     R"({}/t.toml:4:31: error: unknown key `on_eror` in a guard of `authorize`
    4 | authorize = { plugin = "app", on_eror = "deny" }
      |                               ^^^^^^^ did you mean `on_error`?
)"},
    {"AGuardWithAMisspelledKind", section,
     R"([[route]]
authorize = { plugn = "app" }
)",
     R"({}/t.toml:4:15: error: unknown key `plugn` in a guard of `authorize`
    4 | authorize = { plugn = "app" }
      |               ^^^^^ did you mean `plugin`?
)"},
    {"AGuardThatIsNothing", section,
     R"([[route]]
authorize = [{ methods = ["GET"] }]
)",
     R"({}/t.toml:4:14: error: this guard is nothing: it has no `plugin`, `all` or `any`
    4 | authorize = [{ methods = ["GET"] }]
      |              ^^^^^^^^^^^^^^^^^^^^^ such as { plugin = "token", on_error = "deny" }
)"},
    {"AGuardThatIsAnEmptyTable", section,
     R"([[route]]
authorize = {}
)",
     R"({}/t.toml:4:13: error: this guard is nothing: it has no `plugin`, `all` or `any`
    4 | authorize = {}
      |             ^^ such as { plugin = "token", on_error = "deny" }
)"},
    {"AGuardThatIsTwoThings", section,
     R"([[route]]
authorize = { any = ["app"], all = ["app"], plugin = "app" }
)",
     R"({}/t.toml:4:15: error: `any` beside `plugin`: a guard is one of `plugin`, `all` and `any`
    4 | authorize = { any = ["app"], all = ["app"], plugin = "app" }
      |               ^^^
{}/t.toml:4:30: error: `all` beside `plugin`: a guard is one of `plugin`, `all` and `any`
    4 | authorize = { any = ["app"], all = ["app"], plugin = "app" }
      |                              ^^^
)"},
    {"AGroupOfNothing", section,
     R"([[route]]
authorize = { any = [] }
)",
     R"({}/t.toml:4:21: error: `any` is an empty list
    4 | authorize = { any = [] }
      |                     ^^ such a group would refuse everybody: "deny" says so
)"},
    {"AGroupThatIsNoList", section,
     R"([[route]]
authorize = { all = "app" }
)",
     R"({}/t.toml:4:21: error: `all` expects a list of guards, found the text "app"
    4 | authorize = { all = "app" }
      |                     ^^^^^
)"},
    {"AListInAList", section,
     R"([[route]]
authorize = ["allow", ["app"]]
)",
     R"({}/t.toml:4:23: error: `authorize` expects guards, found a list in a list
    4 | authorize = ["allow", ["app"]]
      |                       ^^^^^^^ { all = [...] } or { any = [...] } says what several guards mean together
)"},
    {"AGuardWithAnUnknownMethod", section,
     R"([[route]]
authorize = { plugin = "allow", methods = ["options"] }
)",
     R"({}/t.toml:4:44: error: methods are case-sensitive: "options" never arrives
    4 | authorize = { plugin = "allow", methods = ["options"] }
      |                                            ^^^^^^^^^ did you mean "OPTIONS"?
)"},
    {"AGuardForNoMethod", section,
     R"([[route]]
authorize = { plugin = "allow", methods = [] }
)",
     R"({}/t.toml:4:43: error: `methods` is an empty list
    4 | authorize = { plugin = "allow", methods = [] }
      |                                           ^^ leave it out for the default
)"},
    {"OnErrorThatIsNoWord", section,
     R"([[route]]
authorize = { plugin = "app", on_error = "alow" }
)",
     R"({}/t.toml:4:42: error: `on_error` cannot be "alow"
    4 | authorize = { plugin = "app", on_error = "alow" }
      |                                          ^^^^^^ did you mean "allow"?
)"},
    {"OnErrorOfABuiltInGuard", section,
     R"([[route]]
authorize = { plugin = "deny", on_error = "deny" }
)",
     R"({}/t.toml:4:32: error: `on_error` is for guards that are plugins, not for the guard "deny"
    4 | authorize = { plugin = "deny", on_error = "deny" }
      |                                ^^^^^^^^
)"},
    {"OnErrorOfAGroup", section,
     R"([[route]]
authorize = { any = ["app"], on_error = "allow" }
)",
     R"({}/t.toml:4:30: error: `on_error` is for guards that are plugins, not for the group `any`
    4 | authorize = { any = ["app"], on_error = "allow" }
      |                              ^^^^^^^^ write it at the guards in the group
)"},
    {"ShadowThatIsAText", section,
     R"([[route]]
authorize = { plugin = "app", shadow = "true" }
)",
     R"({}/t.toml:4:40: error: `shadow` expects true or false, found the text "true"
    4 | authorize = { plugin = "app", shadow = "true" }
      |                                        ^^^^^^ write true without quotes
)"},
    {"ShadowOfABuiltInGuard", section,
     R"([[route]]
authorize = ["app", { plugin = "deny", shadow = true }]
)",
     R"({}/t.toml:4:40: error: `shadow` is for guards that are plugins, not for the guard "deny"
    4 | authorize = ["app", { plugin = "deny", shadow = true }]
      |                                        ^^^^^^
)"},
    {"CacheOfABuiltInGuard", section,
     R"([[route]]
authorize = { plugin = "allow", cache = {} }
)",
     R"({}/t.toml:4:33: error: `cache` is for guards that are plugins, not for the guard "allow"
    4 | authorize = { plugin = "allow", cache = {} }
      |                                 ^^^^^
)"},
    {"CacheOfAGroup", section,
     R"([[route]]
authorize = { all = ["app"], cache = { ttl = "1s" } }
)",
     R"({}/t.toml:4:30: error: `cache` is for guards that are plugins, not for the group `all`
    4 | authorize = { all = ["app"], cache = { ttl = "1s" } }
      |                              ^^^^^ write it at the guards in the group
)"},
    {"CacheThatIsATime", section,
     R"([[route]]
authorize = { plugin = "app", cache = "5s" }
)",
     R"({}/t.toml:4:39: error: `cache` expects a table, found the text "5s"
    4 | authorize = { plugin = "app", cache = "5s" }
      |                                       ^^^^ cache = { ttl = "5s", deny_ttl = "1s" }
)"},
    {"CacheWithAnUnknownKey", section,
     R"([[route]]
authorize = { plugin = "app", cache = { tll = "5s" } }
)",
     R"({}/t.toml:4:41: error: unknown key `tll` in `cache`
    4 | authorize = { plugin = "app", cache = { tll = "5s" } }
      |                                         ^^^ did you mean `ttl`?
)"},
    {"CacheWithWrongValues", section,
     R"([[route]]
authorize = { plugin = "app", cache = { ttl = 5, deny_ttl = "25h", entries = 0, key = "REMOTE_ADDR" } }
)",
     R"({}/t.toml:4:47: error: `ttl` expects a duration with its unit, found the integer 5
    4 | authorize = { plugin = "app", cache = { ttl = 5, deny_ttl = "25h", entries = 0, key = "REMOTE_ADDR" } }
      |                                               ^ write "5s" for seconds
{}/t.toml:4:61: error: `deny_ttl` is "25h", outside 0s to 24h
    4 | authorize = { plugin = "app", cache = { ttl = 5, deny_ttl = "25h", entries = 0, key = "REMOTE_ADDR" } }
      |                                                             ^^^^^
{}/t.toml:4:78: error: `entries` is 0, outside 1 to 1000000
    4 | authorize = { plugin = "app", cache = { ttl = 5, deny_ttl = "25h", entries = 0, key = "REMOTE_ADDR" } }
      |                                                                              ^
{}/t.toml:4:87: error: `key` expects a list of texts, found the text "REMOTE_ADDR"
    4 | authorize = { plugin = "app", cache = { ttl = 5, deny_ttl = "25h", entries = 0, key = "REMOTE_ADDR" } }
      |                                                                                       ^^^^^^^^^^^^^ write ["REMOTE_ADDR"]
)"},
    {"CacheThatRemembersNothing", section,
     R"([[route]]
authorize = { plugin = "app", cache = { ttl = "0s", deny_ttl = "0s" } }
)",
     R"({}/t.toml:4:31: error: this `cache` remembers nothing: both its times are 0s
    4 | authorize = { plugin = "app", cache = { ttl = "0s", deny_ttl = "0s" } }
      |                               ^^^^^ leave it out
)"},
    {"CacheWithABadKey", section,
     R"([[route]]
authorize = { plugin = "app", cache = { key = ["A=B", "A", "A"] } }
)",
     R"({}/t.toml:4:48: error: "A=B" cannot name a parameter
    4 | authorize = { plugin = "app", cache = { key = ["A=B", "A", "A"] } }
      |                                                ^^^^^ such as "REMOTE_ADDR"
{}/t.toml:4:60: error: `key` holds "A" twice
    4 | authorize = { plugin = "app", cache = { key = ["A=B", "A", "A"] } }
      |                                                            ^^^
)"},
    {"CacheWithTooManyNames", section,
     R"([[route]]
authorize = { plugin = "app", cache = { key = ["P0", "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P11", "P12", "P13", "P14", "P15", "P16"] } }
)",
     R"({}/t.toml:4:47: error: `key` holds 17 names, more than 16
    4 | authorize = { plugin = "app", cache = { key = ["P0", "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P11",...
      |                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ what the guard reads belongs to the key anyway
)"},
    {"GroupsTooDeepInOneAnother", section,
     R"([[route]]
authorize = { all = [{ all = [{ all = [{ all = [{ all = [{ all = [{ all = [{ all = ["app"] }] }] }] }] }] }] }] }
)",
     R"({}/t.toml:4:78: error: groups of guards stand more than 8 deep in one another
    4 | authorize = { all = [{ all = [{ all = [{ all = [{ all = [{ all = [{ all = [{ all = ["app"] }] }] }] }] }] }] }] }
      |                                                                              ^^^
)"},
    {"TooManyGuards", section,
     R"([[route]]
authorize = ["app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app", "app"]
)",
     R"({}/t.toml:4:462: error: more than 64 guards on one route
    4 | ...p", "app", "app", "app", "app", "app", "app", "app", "app", "app"]
      |                                                                ^^^^^ a plugin can ask several questions itself
)"},
};

INSTANTIATE_TEST_SUITE_P(Guard, BrokenFiles, testing::ValuesIn(guard_files), broken_file_name);

}  // namespace
}  // namespace trivet::config
