#include "tests/unit/config/broken_files.hpp"

namespace trivet::config {
namespace {

constexpr BrokenFile zone_files[] = {
    {"ZoneIsNoTable", section,
     R"([[zone]]
name = "limits"
)",
     R"({}/t.toml:3:3: error: `zone` expects a table, found a list
    3 | [[zone]]
      |   ^^^^ write [zone]
)"},
    {"ZoneWithoutName", section,
     R"([zone]
size = "1MiB"
)",
     R"({}/t.toml:4:1: error: [zone] holds one table for each zone, `size` is the text "1MiB"
    4 | size = "1MiB"
      | ^^^^ write [zone.NAME] above the zone's keys
)"},
    {"ZoneWithOddName", section,
     R"([zone."a b"]
)",
     R"({}/t.toml:3:7: error: "a b" cannot name a zone
    3 | [zone."a b"]
      |       ^^^^^ letters, digits, `_`, `-` and `.`
)"},
    {"ZoneWithUnknownKey", section,
     R"([zone.limits]
siz = "1MiB"
)",
     R"({}/t.toml:4:1: error: unknown key `siz` in [zone.limits]
    4 | siz = "1MiB"
      | ^^^ did you mean `size`?
)"},
    {"ZoneSizeWithoutUnit", section,
     R"([zone.limits]
size = 1048576
)",
     R"({}/t.toml:4:8: error: `size` expects a size with its unit, found the integer 1048576
    4 | size = 1048576
      |        ^^^^^^^ write "1MiB"
)"},
    {"ZoneWithoutRoomForEntries", section,
     R"([zone.limits]
size = "64KiB"
value_bytes = "4KiB"
)",
     R"({}/t.toml:4:8: error: the zone "limits" has no room for entries in 64KiB
    4 | size = "64KiB"
      |        ^^^^^^^ `size` has to be 68544B at least
)"},
    {"ZoneWhoseCountersTakeAll", section,
     R"([zone.limits]
counters = 65536
)",
     R"({}/t.toml:3:1: error: the zone "limits" has no room for entries in 1MiB
    3 | [zone.limits]
      | ^^^^^^^^^^^^^ `size` has to be 1051584B at least
)"},
};

INSTANTIATE_TEST_SUITE_P(Zone, BrokenFiles, testing::ValuesIn(zone_files), broken_file_name);

}  // namespace
}  // namespace trivet::config
