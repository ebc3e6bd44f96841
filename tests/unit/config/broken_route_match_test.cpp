#include "tests/unit/config/broken_files.hpp"

namespace trivet::config {
namespace {

constexpr BrokenFile route_matching_files[] = {
    {"HostWithPort", section,
     R"([[route]]
respond = "app"
hosts = ["example.org:8080"]
)",
     R"({}/t.toml:5:10: error: the host "example.org:8080" has a port: hosts are compared without
    5 | hosts = ["example.org:8080"]
      |          ^^^^^^^^^^^^^^^^^^
)"},
    {"HostWithStar", section,
     R"([[route]]
respond = "app"
hosts = ["*.example.org"]
)",
     R"({}/t.toml:5:10: error: the host "*.example.org" has a `*`: hosts are compared whole
    5 | hosts = ["*.example.org"]
      |          ^^^^^^^^^^^^^^^
)"},
    {"HostIsNotAscii", section,
     R"([[route]]
respond = "app"
hosts = ["bücher.example"]
)",
     R"({}/t.toml:5:10: error: the host "bücher.example" is not ASCII: browsers send the form that starts with xn--
    5 | hosts = ["bücher.example"]
      |          ^^^^^^^^^^^^^^^^
)"},
    {"HostIsAnUri", section,
     R"([[route]]
respond = "app"
hosts = ["example.org/x"]
)",
     R"({}/t.toml:5:10: error: the host "example.org/x" is not a host name
    5 | hosts = ["example.org/x"]
      |          ^^^^^^^^^^^^^^^
)"},
    {"HostIsABrokenSix", section,
     R"([[route]]
respond = "app"
hosts = ["[::1]:80"]
)",
     R"({}/t.toml:5:10: error: the host "[::1]:80" is not an IPv6 address in brackets without a port
    5 | hosts = ["[::1]:80"]
      |          ^^^^^^^^^^
)"},
    {"HostTwiceButForCase", section,
     R"([[route]]
respond = "app"
hosts = ["a.org", "A.org."]
)",
     R"({}/t.toml:5:19: error: `hosts` holds "a.org" twice
    5 | hosts = ["a.org", "A.org."]
      |                   ^^^^^^^^
)"},
    {"MethodInLowerCase", section,
     R"([[route]]
respond = "app"
methods = ["get"]
)",
     R"({}/t.toml:5:12: error: methods are case-sensitive: "get" never arrives
    5 | methods = ["get"]
      |            ^^^^^ did you mean "GET"?
)"},
    {"MethodIsNoToken", section,
     R"([[route]]
respond = "app"
methods = ["GET POST"]
)",
     R"({}/t.toml:5:12: error: "GET POST" is not a method
    5 | methods = ["GET POST"]
      |            ^^^^^^^^^^ such as "GET"
)"},
    {"NoMethods", section,
     R"([[route]]
respond = "app"
methods = []
)",
     R"({}/t.toml:5:11: error: `methods` is an empty list
    5 | methods = []
      |           ^^ leave it out for the default
)"},
    {"ReservedVariables", section,
     R"([[route]]
authorize = "deny"
variables = ["HTTP_X", "CONTENT_TYPE", "SCRIPT_NAME", "PATH", "REQUEST_URI", "SERVER_NAME", "LD_PRELOAD", "TRIVET_ROUTE"]
)",
     R"({}/t.toml:5:14: error: a guard may not set "HTTP_X": names that start with HTTP_ are reserved
    5 | variables = ["HTTP_X", "CONTENT_TYPE", "SCRIPT_NAME", "PATH", "REQUEST_URI", "SERVER_NAME", "LD_PRELOAD", "TRIVET_ROUTE"...
      |              ^^^^^^^^
{}/t.toml:5:24: error: a guard may not set "CONTENT_TYPE": names that start with CONTENT_ are reserved
    5 | variables = ["HTTP_X", "CONTENT_TYPE", "SCRIPT_NAME", "PATH", "REQUEST_URI", "SERVER_NAME", "LD_PRELOAD", "TRIVET_ROUTE"...
      |                        ^^^^^^^^^^^^^^
{}/t.toml:5:40: error: a guard may not set "SCRIPT_NAME": names that start with SCRIPT_ are reserved
    5 | variables = ["HTTP_X", "CONTENT_TYPE", "SCRIPT_NAME", "PATH", "REQUEST_URI", "SERVER_NAME", "LD_PRELOAD", "TRIVET_ROUTE"...
      |                                        ^^^^^^^^^^^^^
{}/t.toml:5:55: error: a guard may not set "PATH": names that start with PATH are reserved
    5 | variables = ["HTTP_X", "CONTENT_TYPE", "SCRIPT_NAME", "PATH", "REQUEST_URI", "SERVER_NAME", "LD_PRELOAD", "TRIVET_ROUTE"...
      |                                                       ^^^^^^
{}/t.toml:5:63: error: a guard may not set "REQUEST_URI": names that start with REQUEST_ are reserved
    5 | variables = ["HTTP_X", "CONTENT_TYPE", "SCRIPT_NAME", "PATH", "REQUEST_URI", "SERVER_NAME", "LD_PRELOAD", "TRIVET_ROUTE"...
      |                                                               ^^^^^^^^^^^^^
{}/t.toml:5:78: error: a guard may not set "SERVER_NAME": names that start with SERVER_ are reserved
    5 | variables = ["HTTP_X", "CONTENT_TYPE", "SCRIPT_NAME", "PATH", "REQUEST_URI", "SERVER_NAME", "LD_PRELOAD", "TRIVET_ROUTE"...
      |                                                                              ^^^^^^^^^^^^^
{}/t.toml:5:93: error: a guard may not set "LD_PRELOAD": names that start with LD_ are reserved
    5 | ...TYPE", "SCRIPT_NAME", "PATH", "REQUEST_URI", "SERVER_NAME", "LD_PRELOAD", "TRIVET_ROUTE"]
      |                                                                ^^^^^^^^^^^^
{}/t.toml:5:107: error: a guard may not set "TRIVET_ROUTE": names that start with TRIVET_ are reserved
    5 | ..._NAME", "PATH", "REQUEST_URI", "SERVER_NAME", "LD_PRELOAD", "TRIVET_ROUTE"]
      |                                                                ^^^^^^^^^^^^^^
)"},
    {"VariableInLowerCase", section,
     R"([[route]]
authorize = "deny"
variables = ["remote_user"]
)",
     R"({}/t.toml:5:14: error: "remote_user" cannot name a variable
    5 | variables = ["remote_user"]
      |              ^^^^^^^^^^^^^ capital letters, digits and `_`, such as "REMOTE_USER"
)"},
    {"VariableTwice", section,
     R"([[route]]
authorize = "deny"
variables = ["A", "A"]
)",
     R"({}/t.toml:5:19: error: `variables` holds "A" twice
    5 | variables = ["A", "A"]
      |                   ^^^
)"},
    {"NoSuchListener", section,
     R"([[route]]
listen = ["wbe"]
respond = "app"
[[listen]]
name = "web"
address = "fd:3"
)",
     R"({}/t.toml:4:11: error: no listener "wbe"
    4 | listen = ["wbe"]
      |           ^^^^^ did you mean "web"?
)"},
    {"OddPathsMisspelt", section,
     R"([[route]]
respond = "app"
odd_paths = "alow"
)",
     R"({}/t.toml:5:13: error: `odd_paths` cannot be "alow"
    5 | odd_paths = "alow"
      |             ^^^^^^ did you mean "allow"?
)"},
    {"RouteTimeoutBeyondADay", section,
     R"([[route]]
respond = "app"
timeout = "25h"
)",
     R"({}/t.toml:5:11: error: `timeout` is "25h", outside 1ms to 24h
    5 | timeout = "25h"
      |           ^^^^^
)"},
    {"TwoRoutesOfOneName", section,
     R"([[route]]
name = "a"
respond = "app"
[[route]]
name = "a"
respond = "app"
)",
     R"({}/t.toml:7:8: error: two routes are named "a", the other at line 3
    7 | name = "a"
      |        ^^^
)"},
    {"AGivenNameThatIsMadeToo", section,
     R"([[route]]
name = "route-2"
path = "/a"
respond = "app"
)",
     R"({}/t.toml:9:1: error: two routes are named "route-2", the other at line 3
    9 | [[route]]
      | ^^^^^^^^^
)"},
};

INSTANTIATE_TEST_SUITE_P(RouteMatching, BrokenFiles, testing::ValuesIn(route_matching_files),
                         broken_file_name);

}  // namespace
}  // namespace trivet::config
