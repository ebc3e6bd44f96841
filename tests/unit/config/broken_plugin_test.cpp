#include "tests/unit/config/broken_files.hpp"

namespace trivet::config {
namespace {

constexpr BrokenFile plugin_files[] = {
    {"UnknownPluginKey", section,
     R"([plugin.guard]
thread = 2
)",
     R"({}/t.toml:4:1: error: unknown key `thread` in [plugin.guard]
    4 | thread = 2
      | ^^^^^^ did you mean `threads`?
)"},
    {"SettingBesideConfig", section,
     R"([plugin.guard]
issuer = "https://sso.example.org"
)",
     R"({}/t.toml:4:1: error: unknown key `issuer` in [plugin.guard]
    4 | issuer = "https://sso.example.org"
      | ^^^^^^ a setting of the plugin's own stands in `config`
)"},
    {"ConfigIsNotATable", section,
     R"([plugin.guard]
config = [1]
)",
     R"({}/t.toml:4:10: error: `config` expects a table, found a list
    4 | config = [1]
      |          ^^^
)"},
    {"DateInConfig", section,
     R"([plugin.guard.config]
since = 1979-05-27
)",
     R"({}/t.toml:4:9: error: a date or time cannot be a setting
    4 | since = 1979-05-27
      |         ^^^^^^^^^^ write it in quotes
)"},
    {"EnvironmentInConfig", section,
     R"([plugin.guard.config]
keys = [{ secret = "${env:TRIVET_TEST_UNSET}" }]
)",
     R"({}/t.toml:4:20: error: the environment variable `TRIVET_TEST_UNSET` is not set
    4 | keys = [{ secret = "${env:TRIVET_TEST_UNSET}" }]
      |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^ set it for whoever runs Trivet
)"},
    {"BuiltInName", section,
     R"([plugin.deny]
)",
     R"({}/t.toml:3:9: error: "deny" is a built-in guard
    3 | [plugin.deny]
      |         ^^^^ choose another name
)"},
    {"NameWithSlash", section,
     R"([plugin."a/b"]
)",
     R"({}/t.toml:3:9: error: "a/b" cannot name a plugin
    3 | [plugin."a/b"]
      |         ^^^^^ letters, digits, `_`, `-` and `.`
)"},
    {"PluginFileIsMissing", section,
     R"([plugin.token]
file = "jwt.so"
)",
     R"({}/t.toml:4:8: error: the file "jwt.so" of the plugin "token" is not there
    4 | file = "jwt.so"
      |        ^^^^^^^^ looked at /usr/lib/trivet/plugins/jwt.so, {}/jwt.so
)"},
    {"QueueOfNothing", section,
     R"([plugin.guard]
queue = 0
)",
     R"({}/t.toml:4:9: error: `queue` is 0, outside 1 to 100000
    4 | queue = 0
      |         ^
)"},
    {"TimeoutAsInteger", section,
     R"([plugin.guard]
timeout = 2
)",
     R"({}/t.toml:4:11: error: `timeout` expects a duration with its unit, found the integer 2
    4 | timeout = 2
      |           ^ write "2s" for seconds
)"},
};

INSTANTIATE_TEST_SUITE_P(Plugin, BrokenFiles, testing::ValuesIn(plugin_files), broken_file_name);

}  // namespace
}  // namespace trivet::config
