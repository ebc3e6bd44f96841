#include "tests/unit/config/broken_files.hpp"

namespace trivet::config {
namespace {

constexpr BrokenFile server_files[] = {
    {"ProcessesOutOfRange", section,
     R"([server]
processes = 1025
)",
     R"({}/t.toml:4:13: error: `processes` is 1025, outside 0 to 1024
    4 | processes = 1025
      |             ^^^^
)"},
    {"ProcessesAsText", section,
     R"([server]
processes = "2"
)",
     R"({}/t.toml:4:13: error: `processes` expects a whole number, found the text "2"
    4 | processes = "2"
      |             ^^^ write 2 without quotes
)"},
    {"UnknownUser", section,
     R"([server]
user = "whoever-that-is"
)",
     R"({}/t.toml:4:8: error: there is no user "whoever-that-is"
    4 | user = "whoever-that-is"
      |        ^^^^^^^^^^^^^^^^^ make it first, or name another user
)"},
    {"MisspeltUser", section,
     R"([server]
user = "nobdy"
)",
     R"({}/t.toml:4:8: error: there is no user "nobdy"
    4 | user = "nobdy"
      |        ^^^^^^^ did you mean "nobody"?
)"},
    {"NumberOfNoUserWithoutGroup", section,
     R"([server]
user = "3999999999"
)",
     R"({}/t.toml:4:8: error: no user has the number 3999999999: it is not known which group is its own
    4 | user = "3999999999"
      |        ^^^^^^^^^^^^ write `group` too
)"},
    {"NumberThatMeansNobody", section,
     R"([server]
user = "4294967295"
)",
     R"({}/t.toml:4:8: error: there is no user "4294967295"
    4 | user = "4294967295"
      |        ^^^^^^^^^^^^ make it first, or name another user
)"},
    {"UserAsNumber", section,
     R"([server]
user = 33
)",
     R"({}/t.toml:4:8: error: `user` expects a text in quotes, found the integer 33
    4 | user = 33
      |        ^^
)"},
    {"MisspeltGroup", section,
     R"([server]
user = "nobody"
group = "nogrup"
)",
     R"({}/t.toml:5:9: error: there is no group "nogrup"
    5 | group = "nogrup"
      |         ^^^^^^^^ did you mean "nogroup"?
)"},
    {"GroupWithoutUser", section,
     R"([server]
group = "nogroup"
)",
     R"({}/t.toml:4:1: error: `group` is the group of `user`, which is not there
    4 | group = "nogroup"
      | ^^^^^ write `user` too, or leave `group` out
)"},
    {"ReloadGraceWithoutAUnit", section,
     R"([server]
reload_grace = "30"
)",
     R"({}/t.toml:4:16: error: `reload_grace` expects a duration such as "5s", found the text "30"
    4 | reload_grace = "30"
      |                ^^^^ a whole number and ms, s, m or h
)"},
    {"MaxRequestsAsText", section,
     R"([server]
max_requests = "off"
)",
     R"({}/t.toml:4:16: error: `max_requests` expects a whole number, found the text "off"
    4 | max_requests = "off"
      |                ^^^^^
)"},
    {"MaxMemoryWithoutUnit", section,
     R"([server]
max_memory = 536870912
)",
     R"({}/t.toml:4:14: error: `max_memory` expects a size with its unit, found the integer 536870912
    4 | max_memory = 536870912
      |              ^^^^^^^^^ write "512MiB"
)"},
    {"MaxMemoryAsWord", section,
     R"([server]
max_memory = "none"
)",
     R"({}/t.toml:4:14: error: `max_memory` expects a size such as "64MiB" or "off", found the text "none"
    4 | max_memory = "none"
      |              ^^^^^^ a whole number and B, KiB, MiB or GiB
)"},
    {"WatchdogAsBoolean", section,
     R"([server]
watchdog = false
)",
     R"({}/t.toml:4:12: error: `watchdog` expects a duration such as "5s" or "off", found the boolean false
    4 | watchdog = false
      |            ^^^^^ a whole number and ms, s, m or h
)"},
    {"UnknownServerKey", section,
     R"([server]
plugin_pth = []
)",
     R"({}/t.toml:4:1: error: unknown key `plugin_pth` in [server]
    4 | plugin_pth = []
      | ^^^^^^^^^^ did you mean `plugin_path`?
)"},
    {"RelativeFolder", section,
     R"([server]
runtime_dir = "run"
)",
     R"({}/t.toml:4:15: error: `runtime_dir` has to be an absolute path, found "run"
    4 | runtime_dir = "run"
      |               ^^^^^ start it with /
)"},
    {"EmptyFolder", section,
     R"([server]
plugin_cache = ""
)",
     R"({}/t.toml:4:16: error: `plugin_cache` is empty
    4 | plugin_cache = ""
      |                ^^
)"},
    {"PluginPathAsText", section,
     R"([server]
plugin_path = "/usr/lib/trivet"
)",
     R"({}/t.toml:4:15: error: `plugin_path` expects a list of texts, found the text "/usr/lib/trivet"
    4 | plugin_path = "/usr/lib/trivet"
      |               ^^^^^^^^^^^^^^^^^ write ["/usr/lib/trivet"]
)"},
    {"PluginPathHoldsARelativeOne", section,
     R"([server]
plugin_path = ["/usr/lib", "lib"]
)",
     R"({}/t.toml:4:28: error: `plugin_path` has to hold absolute paths, found "lib"
    4 | plugin_path = ["/usr/lib", "lib"]
      |                            ^^^^^ start it with /
)"},
    {"PluginPathHoldsANumber", section,
     R"([server]
plugin_path = [7]
)",
     R"({}/t.toml:4:16: error: `plugin_path` expects a text in quotes, found the integer 7
    4 | plugin_path = [7]
      |                ^
)"},
    {"GraceWithoutUnit", section,
     R"([server]
shutdown_grace = 6
)",
     R"({}/t.toml:4:18: error: `shutdown_grace` expects a duration with its unit, found the integer 6
    4 | shutdown_grace = 6
      |                  ^ write "6s" for seconds
)"},
    {"GraceIsOff", section,
     R"([server]
shutdown_grace = "off"
)",
     R"({}/t.toml:4:18: error: `shutdown_grace` expects a duration such as "5s", found the text "off"
    4 | shutdown_grace = "off"
      |                  ^^^^^ a whole number and ms, s, m or h
)"},
    {"GraceWithFamiliarUnit", section,
     R"([server]
shutdown_grace = "6 sec"
)",
     R"({}/t.toml:4:18: error: `shutdown_grace` expects a duration such as "5s", found the text "6 sec"
    4 | shutdown_grace = "6 sec"
      |                  ^^^^^^^ did you mean "6s"?
)"},
    {"GraceOutOfRange", section,
     R"([server]
shutdown_grace = "2h"
)",
     R"({}/t.toml:4:18: error: `shutdown_grace` is "2h", outside 0s to 1h
    4 | shutdown_grace = "2h"
      |                  ^^^^
)"},
    {"ControlCharacter", section,
     R"([server]
runtime_dir = "/run/\u0000x"
)",
     R"({}/t.toml:4:15: error: `runtime_dir` holds a control character: "/run/\x00x"
    4 | runtime_dir = "/run/\u0000x"
      |               ^^^^^^^^^^^^^^
)"},
    {"EnvironmentVariableThatIsNotSet", section,
     R"([server]
runtime_dir = "${env:TRIVET_TEST_UNSET}/run"
)",
     R"({}/t.toml:4:15: error: the environment variable `TRIVET_TEST_UNSET` is not set
    4 | runtime_dir = "${env:TRIVET_TEST_UNSET}/run"
      |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ set it for whoever runs Trivet
)"},
    {"EnvironmentVariableWithoutAnEnd", section,
     R"([server]
runtime_dir = "/run/${env:HOME"
)",
     R"({}/t.toml:4:15: error: `${env:HOME` names no environment variable
    4 | runtime_dir = "/run/${env:HOME"
      |               ^^^^^^^^^^^^^^^^^ write ${env:NAME}; NAME is letters, digits and _
)"},
    {"EnvironmentVariableWithADefault", section,
     R"([limits]
window = "${env:WINDOW:-64KiB}"
)",
     R"({}/t.toml:4:10: error: `${env:WINDOW:-64KiB}` names no environment variable
    4 | window = "${env:WINDOW:-64KiB}"
      |          ^^^^^^^^^^^^^^^^^^^^^^ write ${env:NAME}; NAME is letters, digits and _
)"},
};

INSTANTIATE_TEST_SUITE_P(Server, BrokenFiles, testing::ValuesIn(server_files), broken_file_name);

}  // namespace
}  // namespace trivet::config
