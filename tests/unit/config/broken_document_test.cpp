#include "tests/unit/config/broken_files.hpp"

namespace trivet::config {
namespace {

constexpr BrokenFile document_files[] = {
    {"UnknownSection", section,
     R"([servr]
)",
     R"({}/t.toml:3:2: error: unknown key `servr` in the file
    3 | [servr]
      |  ^^^^^ did you mean `server`?
)"},
    {"UnknownTopKey", section,
     R"([colour]
)",
     R"({}/t.toml:3:2: error: unknown key `colour` in the file
    3 | [colour]
      |  ^^^^^^ known: `server`, `listen`, `limits`, `zone`, `plugin`, `route`, `log`, `include`
)"},
    {"IncludeIsNoList", whole_file,
     R"(include = "conf.d/*.toml"
[[listen]]
address = "unix:/run/x.sock"
)",
     R"({}/t.toml:1:11: error: `include` expects a list of texts, found the text "conf.d/*.toml"
    1 | include = "conf.d/*.toml"
      |           ^^^^^^^^^^^^^^^ write ["conf.d/*.toml"]
)"},
    {"IncludedFileIsMissing", whole_file,
     R"(include = ["conf.d/site.toml"]
[[listen]]
address = "unix:/run/x.sock"
)",
     R"({}/t.toml:1:12: error: cannot read the file "{}/conf.d/site.toml": No such file or directory
    1 | include = ["conf.d/site.toml"]
      |            ^^^^^^^^^^^^^^^^^^ create it, or take it out
)"},
    {"EnvironmentInInclude", whole_file,
     R"(include = ["${env:TRIVET_TEST_UNSET}/x.toml"]
[[listen]]
address = "unix:/run/x.sock"
)",
     R"({}/t.toml:1:12: error: the environment variable `TRIVET_TEST_UNSET` is not set
    1 | include = ["${env:TRIVET_TEST_UNSET}/x.toml"]
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ set it for whoever runs Trivet
)"},
    {"SectionIsNotATable", whole_file,
     R"(server = 5
[[listen]]
address = "unix:/run/x.sock"
[plugin.app]
[[route]]
respond = "app"
)",
     R"({}/t.toml:1:1: error: `server` expects a table, found the integer 5
    1 | server = 5
      | ^^^^^^ write [server]
)"},
    {"ListenWithOneBracket", whole_file,
     R"([listen]
address = "unix:/run/x"
[plugin.app]
[[route]]
respond = "app"
)",
     R"({}/t.toml:1:2: error: `listen` expects a list of tables, found a table
    1 | [listen]
      |  ^^^^^^ write [[listen]]
)"},
    {"ListenHoldsNumbers", whole_file,
     R"(listen = [1]
[plugin.app]
[[route]]
respond = "app"
)",
     R"({}/t.toml:1:11: error: [[listen]] expects a table, found the integer 1
    1 | listen = [1]
      |           ^
)"},
    {"PluginIsNotATable", section,
     R"([plugin]
token = "jwt.so"
)",
     R"({}/t.toml:4:1: error: [plugin] holds one table for each plugin, `token` is the text "jwt.so"
    4 | token = "jwt.so"
      | ^^^^^ write [plugin.NAME] above the plugin's keys
)"},
    {"NoListener", whole_file,
     R"([plugin.app]
[[route]]
respond = "app"
)",
     R"({}/t.toml: error: no [[listen]]: nobody could connect
      = [[listen]] with address = "unix:/run/trivet/trivet.sock", say
)"},
    {"TomlKeyTwice", section,
     R"([limits]
connections = 1
connections = 2
)",
     R"({}/t.toml:5:15: error: not valid TOML: key-value pair: cannot redefine existing integer 'connections'
    5 | connections = 2
      |               ^ the same name stands further up
)"},
    {"TomlTableTwice", section,
     R"([server]
[log]
[server]
)",
     R"({}/t.toml:5:1: error: not valid TOML: table header: cannot redefine existing table 'server'
    5 | [server]
      | ^ the same name stands further up
)"},
    {"TomlBothKindsOfTable", section,
     R"([route]
)",
     R"({}/t.toml:6:1: error: not valid TOML: table header: cannot redefine existing table 'route' as array-of-tables
    6 | [[route]]
      | ^ the same name stands further up
)"},
    {"TomlWithoutQuotes", section,
     R"([log]
level = info
)",
     R"({}/t.toml:4:12: error: not valid TOML: floating-point: expected value-terminator, saw 'o'
    4 | level = info
      |            ^
)"},
    {"TomlBareWord", section,
     R"([log]
level = debug
)",
     R"({}/t.toml:4:9: error: not valid TOML: value: could not determine value type
    4 | level = debug
      |         ^ a text stands in double quotes
)"},
    {"TomlValueIsMissing", section,
     R"([log]
level =
)",
     R"({}/t.toml:4:8: error: not valid TOML: key-value pair: expected value, saw '\n'
    4 | level =
      |        ^
)"},
    {"TomlStringIsOpen", section,
     R"([log]
level = "info
)",
     R"({}/t.toml:4:14: error: not valid TOML: the line ends within a text
    4 | level = "info
      |              ^ the closing quote is missing
)"},
    {"TomlIntegerIsTooLarge", section,
     R"([limits]
connections = 99999999999999999999
)",
     R"({}/t.toml:4:35: error: not valid TOML: decimal integer: '99999999999999999999' is not representable in 64 bits
    4 | connections = 99999999999999999999
      |                                   ^
)"},
};

INSTANTIATE_TEST_SUITE_P(Document, BrokenFiles, testing::ValuesIn(document_files), broken_file_name);

}  // namespace
}  // namespace trivet::config
