#include "tests/unit/config/broken_files.hpp"

namespace trivet::config {
namespace {

constexpr BrokenFile listen_files[] = {
    {"ListenWithoutAddress", section,
     R"([[listen]]
name = "web"
)",
     R"({}/t.toml:3:1: error: [[listen]] has no `address`
    3 | [[listen]]
      | ^^^^^^^^^^ address = "unix:/run/trivet/trivet.sock", say
)"},
    {"UnknownListenKey", section,
     R"([[listen]]
address = "fd:3"
back_log = 5
)",
     R"({}/t.toml:5:1: error: unknown key `back_log` in [[listen]]
    5 | back_log = 5
      | ^^^^^^^^ did you mean `backlog`?
)"},
    {"AddressIsAPath", section,
     R"([[listen]]
address = "/run/trivet.sock"
)",
     R"({}/t.toml:4:11: error: "/run/trivet.sock" is not an address
    4 | address = "/run/trivet.sock"
      |           ^^^^^^^^^^^^^^^^^^ did you mean "unix:/run/trivet.sock"?
)"},
    {"AddressIsANumber", section,
     R"([[listen]]
address = 9000
)",
     R"({}/t.toml:4:11: error: `address` expects a text in quotes, found the integer 9000
    4 | address = 9000
      |           ^^^^
)"},
    {"AddressByName", section,
     R"([[listen]]
address = "tcp:localhost:9000"
)",
     R"({}/t.toml:4:11: error: "tcp:localhost:9000": "localhost" is not a numeric address
    4 | address = "tcp:localhost:9000"
      |           ^^^^^^^^^^^^^^^^^^^^ did you mean "tcp:127.0.0.1:9000"?
)"},
    {"OpenTcp", section,
     R"([[listen]]
address = "tcp:0.0.0.0:9000"
)",
     R"({}/t.toml:4:11: error: "tcp:0.0.0.0:9000" is not a loopback address: say who may connect
    4 | address = "tcp:0.0.0.0:9000"
      |           ^^^^^^^^^^^^^^^^^^ allow_from = ["192.0.2.10"], with the addresses of the web servers
)"},
    {"OpenTcpSix", section,
     R"([[listen]]
address = "tcp:[::]:9000"
)",
     R"({}/t.toml:4:11: error: "tcp:[::]:9000" is not a loopback address: say who may connect
    4 | address = "tcp:[::]:9000"
      |           ^^^^^^^^^^^^^^^ allow_from = ["192.0.2.10"], with the addresses of the web servers
)"},
    {"AllowFromANetworkThatIsNone", section,
     R"([[listen]]
address = "tcp:0.0.0.0:9000"
allow_from = ["10.0.0.0/8", "localhost", "10.0.0.1/8", "::/200"]
)",
     R"({}/t.toml:5:29: error: "localhost" is neither a numeric address nor a network
    5 | allow_from = ["10.0.0.0/8", "localhost", "10.0.0.1/8", "::/200"]
      |                             ^^^^^^^^^^^ "192.0.2.7", "192.0.2.0/24" or "2001:db8::/32", say
{}/t.toml:5:42: error: "10.0.0.1/8" has bits set after the first 8
    5 | allow_from = ["10.0.0.0/8", "localhost", "10.0.0.1/8", "::/200"]
      |                                          ^^^^^^^^^^^^ did you mean "10.0.0.0/8"?
{}/t.toml:5:56: error: "::/200": "200" is not a number of bits from 0 to 128
    5 | allow_from = ["10.0.0.0/8", "localhost", "10.0.0.1/8", "::/200"]
      |                                                        ^^^^^^^^
)"},
    {"AllowFromNobody", section,
     R"([[listen]]
address = "tcp:127.0.0.1:9000"
allow_from = []
)",
     R"({}/t.toml:5:14: error: `allow_from` is an empty list
    5 | allow_from = []
      |              ^^ leave it out for the default
)"},
    {"AllowFromOnAUnixSocket", section,
     R"([[listen]]
address = "unix:/run/y"
allow_from = ["10.0.0.0/8"]
)",
     R"({}/t.toml:5:1: error: `allow_from` is for tcp: addresses, this is "unix:/run/y"
    5 | allow_from = ["10.0.0.0/8"]
      | ^^^^^^^^^^
)"},
    {"AllowUsersOnTcp", section,
     R"([[listen]]
address = "tcp:127.0.0.1:9000"
allow_users = ["www-data"]
)",
     R"({}/t.toml:5:1: error: `allow_users` is for unix: addresses, this is "tcp:127.0.0.1:9000"
    5 | allow_users = ["www-data"]
      | ^^^^^^^^^^^
)"},
    {"SystemdWithoutAName", section,
     R"([[listen]]
address = "systemd:"
)",
     R"({}/t.toml:4:11: error: "systemd:": "" is not the name of a socket
    4 | address = "systemd:"
      |           ^^^^^^^^^^ systemd:web, with FileDescriptorName=web in the .socket unit
)"},
    {"ModeAsInteger", section,
     R"([[listen]]
address = "unix:/run/y"
mode = 660
)",
     R"({}/t.toml:5:8: error: `mode` expects an octal text such as "0660", found the integer 660
    5 | mode = 660
      |        ^^^
)"},
    {"ModeIsNotOctal", section,
     R"([[listen]]
address = "unix:/run/y"
mode = "0880"
)",
     R"({}/t.toml:5:8: error: `mode` is "0880", not an octal text of at most "0777"
    5 | mode = "0880"
      |        ^^^^^^ "0660": its user and its group
)"},
    {"ModeWithSpecialBits", section,
     R"([[listen]]
address = "unix:/run/y"
mode = "4777"
)",
     R"({}/t.toml:5:8: error: `mode` is "4777", not an octal text of at most "0777"
    5 | mode = "4777"
      |        ^^^^^^ "0660": its user and its group
)"},
    {"ModeOnTcp", section,
     R"([[listen]]
address = "tcp:127.0.0.1:9000"
mode = "0660"
)",
     R"({}/t.toml:5:1: error: `mode` is for unix: addresses, this is "tcp:127.0.0.1:9000"
    5 | mode = "0660"
      | ^^^^
)"},
    {"GroupOnADescriptor", section,
     R"([[listen]]
address = "fd:0"
group = "www-data"
)",
     R"({}/t.toml:5:1: error: `group` is for unix: addresses, this is "fd:0"
    5 | group = "www-data"
      | ^^^^^
)"},
    {"SteeringAsText", section,
     R"([[listen]]
address = "fd:0"
accept_steering = "true"
)",
     R"({}/t.toml:5:19: error: `accept_steering` expects true or false, found the text "true"
    5 | accept_steering = "true"
      |                   ^^^^^^ write true without quotes
)"},
    {"SpawnedIsTaken", section,
     R"([[listen]]
name = "spawned"
address = "fd:0"
)",
     R"({}/t.toml:4:8: error: the name "spawned" is taken: it is the socket that a spawning web server passes
    4 | name = "spawned"
      |        ^^^^^^^^^
)"},
    {"SameAddressTwice", section,
     R"([[listen]]
name = "again"
address = "unix:/run/./x.sock"
)",
     R"({}/t.toml:5:11: error: two listeners on one address: "unix:/run/./x.sock", the other at line 1
    5 | address = "unix:/run/./x.sock"
      |           ^^^^^^^^^^^^^^^^^^^^
)"},
    {"SameListenerNameTwice", section,
     R"([[listen]]
name = "unix:/run/x.sock"
address = "fd:3"
)",
     R"({}/t.toml:4:8: error: two listeners are named "unix:/run/x.sock", the other at line 1
    4 | name = "unix:/run/x.sock"
      |        ^^^^^^^^^^^^^^^^^^
)"},
};

INSTANTIATE_TEST_SUITE_P(Listen, BrokenFiles, testing::ValuesIn(listen_files), broken_file_name);

}  // namespace
}  // namespace trivet::config
