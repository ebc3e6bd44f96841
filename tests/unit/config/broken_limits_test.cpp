#include "tests/unit/config/broken_files.hpp"

namespace trivet::config {
namespace {

constexpr BrokenFile limits_files[] = {
    {"UnknownLimit", section,
     R"([limits]
param_bytes = "1KiB"
)",
     R"({}/t.toml:4:1: error: unknown key `param_bytes` in [limits]
    4 | param_bytes = "1KiB"
      | ^^^^^^^^^^^ did you mean `params_bytes`?
)"},
    {"SizeAsInteger", section,
     R"([limits]
window = 65536
)",
     R"({}/t.toml:4:10: error: `window` expects a size with its unit, found the integer 65536
    4 | window = 65536
      |          ^^^^^ write "64KiB"
)"},
    {"SizeAsNegativeInteger", section,
     R"([limits]
window = -1
)",
     R"({}/t.toml:4:10: error: `window` expects a size with its unit, found the integer -1
    4 | window = -1
      |          ^^
)"},
    {"SizeWithFamiliarUnit", section,
     R"([limits]
params_bytes = "64k"
)",
     R"({}/t.toml:4:16: error: `params_bytes` expects a size such as "64KiB", found the text "64k"
    4 | params_bytes = "64k"
      |                ^^^^^ did you mean "64KiB"?
)"},
    {"SizeWithFraction", section,
     R"([limits]
body_bytes = "1.5GiB"
)",
     R"({}/t.toml:4:14: error: `body_bytes` expects a size such as "64KiB", found the text "1.5GiB"
    4 | body_bytes = "1.5GiB"
      |              ^^^^^^^^ a whole number and B, KiB, MiB or GiB
)"},
    {"SizeAsBoolean", section,
     R"([limits]
spool_bytes = true
)",
     R"({}/t.toml:4:15: error: `spool_bytes` expects a size such as "64KiB", found the boolean true
    4 | spool_bytes = true
      |               ^^^^ a whole number and B, KiB, MiB or GiB
)"},
    {"SizeBeyondAllNumbers", section,
     R"([limits]
body_bytes = "99999999999GiB"
)",
     R"({}/t.toml:4:14: error: `body_bytes` is "99999999999GiB", outside 0B to 1048576GiB
    4 | body_bytes = "99999999999GiB"
      |              ^^^^^^^^^^^^^^^^
)"},
    {"OnlyDataIsUnlimited", section,
     R"([limits]
body_bytes = "unlimited"
)",
     R"({}/t.toml:4:14: error: `body_bytes` expects a size such as "64KiB", found the text "unlimited"
    4 | body_bytes = "unlimited"
      |              ^^^^^^^^^^^ a whole number and B, KiB, MiB or GiB
)"},
    {"DataBytesMisspelt", section,
     R"([limits]
data_bytes = "infinite"
)",
     R"({}/t.toml:4:14: error: `data_bytes` expects a size such as "64KiB" or "unlimited", found the text "infinite"
    4 | data_bytes = "infinite"
      |              ^^^^^^^^^^ a whole number and B, KiB, MiB or GiB
)"},
    {"CountAsText", section,
     R"([limits]
connections = "20000"
)",
     R"({}/t.toml:4:15: error: `connections` expects a whole number, found the text "20000"
    4 | connections = "20000"
      |               ^^^^^^^ write 20000 without quotes
)"},
    {"CountAsNumberWithPoint", section,
     R"([limits]
params_count = 5.5
)",
     R"({}/t.toml:4:16: error: `params_count` expects a whole number, found the number 5.5
    4 | params_count = 5.5
      |                ^^^
)"},
    {"SpoolFolderIsRelative", section,
     R"([limits]
spool_dir = "spool"
)",
     R"({}/t.toml:4:13: error: `spool_dir` has to be an absolute path, found "spool"
    4 | spool_dir = "spool"
      |             ^^^^^^^ start it with /
)"},
    {"IdleTimeMisspelt", section,
     R"([limits]
idle_time = "of"
)",
     R"({}/t.toml:4:13: error: `idle_time` expects a duration such as "5s" or "off", found the text "of"
    4 | idle_time = "of"
      |             ^^^^ a whole number and ms, s, m or h
)"},
};

INSTANTIATE_TEST_SUITE_P(Limits, BrokenFiles, testing::ValuesIn(limits_files), broken_file_name);

constexpr BrokenFile log_files[] = {
    {"UnknownLogKey", section,
     R"([log]
file = "x"
)",
     R"({}/t.toml:4:1: error: unknown key `file` in [log]
    4 | file = "x"
      | ^^^^ known: `level`, `format`, `target`, `access`, `access_flush`, `request_id`, `redact`
)"},
    {"LogLevelMisspelt", section,
     R"([log]
level = "warning"
)",
     R"({}/t.toml:4:9: error: `level` cannot be "warning"
    4 | level = "warning"
      |         ^^^^^^^^^ did you mean "warn"?
)"},
    {"LogFormatMisspelt", section,
     R"([log]
format = "jsn"
)",
     R"({}/t.toml:4:10: error: `format` cannot be "jsn"
    4 | format = "jsn"
      |          ^^^^^ did you mean "json"?
)"},
    {"LogTargetIsAPath", section,
     R"([log]
target = "/var/log/trivet.log"
)",
     R"({}/t.toml:4:10: error: `target` cannot be "/var/log/trivet.log"
    4 | target = "/var/log/trivet.log"
      |          ^^^^^^^^^^^^^^^^^^^^^ did you mean "file:/var/log/trivet.log"?
)"},
    {"LogTargetIsRelative", section,
     R"([log]
target = "file:trivet.log"
)",
     R"({}/t.toml:4:10: error: `target` has to name an absolute path, found "file:trivet.log"
    4 | target = "file:trivet.log"
      |          ^^^^^^^^^^^^^^^^^ file:/var/log/trivet.log, say
)"},
    {"LogTargetMisspelt", section,
     R"([log]
target = "stdout"
)",
     R"({}/t.toml:4:10: error: `target` cannot be "stdout"
    4 | target = "stdout"
      |          ^^^^^^^^ known: "stderr", "syslog", "file:/PATH"
)"},
    {"AccessMisspelt", section,
     R"([log]
access = "on"
)",
     R"({}/t.toml:4:10: error: `access` cannot be "on"
    4 | access = "on"
      |          ^^^^ known: "off", "stderr", "file:/PATH"
)"},
    {"AccessPathWithoutFile", section,
     R"([log]
access = "/var/log/access.log"
)",
     R"({}/t.toml:4:10: error: `access` cannot be "/var/log/access.log"
    4 | access = "/var/log/access.log"
      |          ^^^^^^^^^^^^^^^^^^^^^ did you mean "file:/var/log/access.log"?
)"},
    {"AccessFlushIsNoDuration", section,
     R"([log]
access_flush = "off"
)",
     R"({}/t.toml:4:16: error: `access_flush` expects a duration such as "5s", found the text "off"
    4 | access_flush = "off"
      |                ^^^^^ a whole number and ms, s, m or h
)"},
    {"AccessFlushTooLong", section,
     R"([log]
access_flush = "2m"
)",
     R"({}/t.toml:4:16: error: `access_flush` is "2m", outside 0s to 1m
    4 | access_flush = "2m"
      |                ^^^^
)"},
    {"RedactIsNoList", section,
     R"([log]
redact = "HTTP_COOKIE"
)",
     R"({}/t.toml:4:10: error: `redact` expects a list of texts, found the text "HTTP_COOKIE"
    4 | redact = "HTTP_COOKIE"
      |          ^^^^^^^^^^^^^ write ["HTTP_COOKIE"]
)"},
    {"RequestIdOfSomebodyElse", section,
     R"([log]
request_id = "HTTP_X_REQUESTID"
)",
     R"({}/t.toml:4:14: error: `request_id` cannot be "HTTP_X_REQUESTID"
    4 | request_id = "HTTP_X_REQUESTID"
      |              ^^^^^^^^^^^^^^^^^^ did you mean "HTTP_X_REQUEST_ID"?
)"},
};

INSTANTIATE_TEST_SUITE_P(Log, BrokenFiles, testing::ValuesIn(log_files), broken_file_name);

}  // namespace
}  // namespace trivet::config
