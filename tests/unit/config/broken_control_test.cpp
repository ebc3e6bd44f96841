#include "tests/unit/config/broken_files.hpp"

namespace trivet::config {
namespace {

constexpr BrokenFile control_files[] = {
    {"AdminAsANumber", section,
     R"([server]
admin = 7
)",
     R"({}/t.toml:4:9: error: `admin` expects a text in quotes, found the integer 7
    4 | admin = 7
      |         ^
)"},
    {"AdminOnTcp", section,
     R"([server]
admin = "tcp:127.0.0.1:9000"
)",
     R"({}/t.toml:4:9: error: `admin` is "tcp:127.0.0.1:9000", not a unix socket
    4 | admin = "tcp:127.0.0.1:9000"
      |         ^^^^^^^^^^^^^^^^^^^^ unix:/run/trivet/admin.sock, say, or "off"
)"},
    {"AdminWithoutItsKind", section,
     R"([server]
admin = "/run/trivet/admin.sock"
)",
     R"({}/t.toml:4:9: error: "/run/trivet/admin.sock" is not an address
    4 | admin = "/run/trivet/admin.sock"
      |         ^^^^^^^^^^^^^^^^^^^^^^^^ did you mean "unix:/run/trivet/admin.sock"?
)"},
    {"AdminOn", section,
     R"([server]
admin = "on"
)",
     R"({}/t.toml:4:9: error: "on" is not an address
    4 | admin = "on"
      |         ^^^^ unix:/run/trivet/admin.sock, say, or "off"
)"},
    {"RuntimeDirTooLongForTheAdminSocket", section,
     R"([server]
runtime_dir = "/run/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/yyyyyyyyyy"
)",
     R"({}/t.toml:4:15: error: `runtime_dir` is too long for the socket "/run/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/yyyy...": 107 bytes at most
    4 | runtime_dir = "/run/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/yyyyyyyyy...
      |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ name a shorter path by `admin`
)"},
    {"AttachAsAText", section,
     R"([server]
processes = 1
attach = "unix:/run/trivet/attach.sock"
)",
     R"({}/t.toml:5:10: error: `attach` expects a table, found the text "unix:/run/trivet/attach.sock"
    5 | attach = "unix:/run/trivet/attach.sock"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ attach = { group = "www-data" }, with the group of the web server
)"},
    {"AttachWithAnUnknownKey", section,
     R"([server]
processes = 1
attach = { socked = "unix:/run/a" }
)",
     R"({}/t.toml:5:12: error: unknown key `socked` in `attach`
    5 | attach = { socked = "unix:/run/a" }
      |            ^^^^^^ did you mean `socket`?
)"},
    {"AttachOnTcp", section,
     R"([server]
processes = 1
attach = { socket = "tcp:127.0.0.1:9000" }
)",
     R"({}/t.toml:5:21: error: `socket` is "tcp:127.0.0.1:9000", not a unix socket
    5 | attach = { socket = "tcp:127.0.0.1:9000" }
      |                     ^^^^^^^^^^^^^^^^^^^^ unix:/run/trivet/attach.sock, say
)"},
    {"AttachOff", section,
     R"([server]
processes = 1
attach = { socket = "off" }
)",
     R"({}/t.toml:5:21: error: "off" is not an address
    5 | attach = { socket = "off" }
      |                     ^^^^^ unix:/run/trivet/attach.sock, say
)"},
    {"AttachForNobody", section,
     R"([server]
processes = 1
attach = { allow_users = [] }
)",
     R"({}/t.toml:5:26: error: `allow_users` is an empty list
    5 | attach = { allow_users = [] }
      |                          ^^ leave it out for the default
)"},
    {"AttachModeAsANumber", section,
     R"([server]
processes = 1
attach = { mode = 660 }
)",
     R"({}/t.toml:5:19: error: `mode` expects an octal text such as "0660", found the integer 660
    5 | attach = { mode = 660 }
      |                   ^^^
)"},
    {"AttachNoSockets", section,
     R"([server]
processes = 1
attach = { sockets_per_user = 0 }
)",
     R"({}/t.toml:5:31: error: `sockets_per_user` is 0, outside 1 to 100000
    5 | attach = { sockets_per_user = 0 }
      |                               ^
)"},
    {"AttachAndAdminAreOne", section,
     R"([server]
processes = 1
admin = "unix:/run/x"
attach = { socket = "unix:/run/x" }
)",
     R"({}/t.toml:6:1: error: `attach` and `admin` are one socket, "/run/x"
    6 | attach = { socket = "unix:/run/x" }
      | ^^^^^^ whoever may attach must not command the host
)"},
};

INSTANTIATE_TEST_SUITE_P(Control, BrokenFiles, testing::ValuesIn(control_files), broken_file_name);

}  // namespace
}  // namespace trivet::config
