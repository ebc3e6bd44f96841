#include <gtest/gtest.h>

#include "tests/unit/config/folder.hpp"

namespace trivet::config {
namespace {

/// The edges of what a key may hold: the first two are taken, the others refused with the range.
struct Range {
  std::string_view name;
  std::string_view table;
  std::string_view key;
  std::string_view least;
  std::string_view most;
  std::string_view below;
  std::string_view above;
  std::string_view told;
};

constexpr Range ranges[] = {
    {"Connections", "[limits]", "connections", "1", "1000000", "0", "1000001", "outside 1 to 1000000"},
    {"Concurrent", "[limits]", "concurrent_per_connection", "1", "65535", "0", "65536", "outside 1 to 65535"},
    {"ParamsBytes", "[limits]", "params_bytes", "'1KiB'", "'16MiB'", "'1023B'", "'16777217B'",
     "outside 1KiB to 16MiB"},
    {"ParamsCount", "[limits]", "params_count", "1", "100000", "0", "100001", "outside 1 to 100000"},
    {"BodyBytes", "[limits]", "body_bytes", "'0B'", "'1048576GiB'", "", "'1048577GiB'",
     "outside 0B to 1048576GiB"},
    {"DataBytes", "[limits]", "data_bytes", "'0B'", "'1048576GiB'", "", "'1048577GiB'",
     "outside 0B to 1048576GiB"},
    {"Window", "[limits]", "window", "'4KiB'", "'16MiB'", "'4095B'", "'17MiB'", "outside 4KiB to 16MiB"},
    {"HeadBytes", "[limits]", "head_bytes", "512", "65528", "511", "65529", "outside 512 to 65528"},
    {"HeadBytesAsSize", "[limits]", "head_bytes", "'512B'", "'65528B'", "'511B'", "'64KiB'",
     "outside 512B to 65528B"},
    {"HeadFields", "[limits]", "head_fields", "1", "1000", "0", "1001", "outside 1 to 1000"},
    {"SpoolMemory", "[limits]", "spool_memory", "'0B'", "'1GiB'", "", "'1073741825B'", "outside 0B to 1GiB"},
    {"SpoolBytes", "[limits]", "spool_bytes", "'0B'", "'1048576GiB'", "", "'1048577GiB'",
     "outside 0B to 1048576GiB"},
    {"DrainBytes", "[limits]", "drain_bytes", "'0B'", "'1048576GiB'", "", "'1048577GiB'",
     "outside 0B to 1048576GiB"},
    {"DiskThreads", "[limits]", "disk_threads", "1", "256", "0", "257", "outside 1 to 256"},
    {"DiskQueue", "[limits]", "disk_queue", "1", "1000000", "0", "1000001", "outside 1 to 1000000"},
    {"HeaderTime", "[limits]", "header_time", "'1ms'", "'24h'", "'0s'", "'86400001ms'", "outside 1ms to 24h"},
    {"StallTime", "[limits]", "stall_time", "'1ms'", "'24h'", "'0ms'", "'25h'", "outside 1ms to 24h"},
    {"IdleTime", "[limits]", "idle_time", "'1ms'", "'1440m'", "'0h'", "'99999999999999999999h'",
     "outside 1ms to 24h"},
    {"Processes", "[server]", "processes", "0", "0", "-1", "1025", "outside 0 to 1024"},
    {"ShutdownGrace", "[server]", "shutdown_grace", "'0s'", "'1h'", "", "'3601s'", "outside 0s to 1h"},
    {"ReloadGrace", "[server]", "reload_grace", "'0s'", "'24h'", "", "'25h'", "outside 0s to 24h"},
    {"MaxRequests", "[server]", "max_requests", "0", "1000000000000", "-1", "1000000000001",
     "outside 0 to 1000000000000"},
    {"MaxMemory", "[server]", "max_memory", "'16MiB'", "'1024GiB'", "'16777215B'", "'1025GiB'",
     "outside 16MiB to 1024GiB"},
    {"StartTimeout", "[server]", "start_timeout", "'100ms'", "'1h'", "'99ms'", "'3601s'",
     "outside 100ms to 1h"},
    {"Watchdog", "[server]", "watchdog", "'1s'", "'1h'", "'999ms'", "'3601s'", "outside 1s to 1h"},
    {"Backlog", "[[listen]]\naddress = \"fd:3\"", "backlog", "1", "65535", "0", "65536",
     "outside 1 to 65535"},
    {"Threads", "[[route]]\npath = \"/x\"\nfilter = \"wrap\"\n[plugin.wrap]", "threads", "0", "1024", "-1",
     "1025", "outside 0 to 1024"},
    {"FilterMinSize", "[plugin.wrap]\n[[route]]\npath = \"/x\"\n[route.filter]\nplugin = \"wrap\"",
     "min_size", "'1B'", "'1GiB'", "'0B'", "'2GiB'", "outside 1B to 1GiB"},
    {"Queue", "[[route]]\npath = \"/x\"\nfilter = \"wrap\"\n[plugin.wrap]", "queue", "1", "100000", "0",
     "100001", "outside 1 to 100000"},
    {"PluginTimeout", "[[route]]\npath = \"/x\"\nfilter = \"wrap\"\n[plugin.wrap]", "timeout", "'1ms'",
     "'24h'", "'0s'", "'1441m'", "outside 1ms to 24h"},
    {"ZoneSize", "[zone.z]", "size", "'64KiB'", "'16GiB'", "'65535B'", "'17179869185B'",
     "outside 64KiB to 16GiB"},
    {"ZoneKeyBytes", "[zone.z]", "key_bytes", "8", "'256B'", "7", "257", "outside 8 to 256"},
    {"ZoneValueBytes", "[zone.z]", "value_bytes", "8", "'4KiB'", "7", "4097", "outside 8 to 4096"},
    {"ZoneCounters", "[zone.z]\nsize = \"2MiB\"", "counters", "0", "65536", "-1", "65537",
     "outside 0 to 65536"},
    {"ApplicationConnections", "[[route]]\npath = \"/x\"\n[route.respond]\nfastcgi = \"unix:/run/a.sock\"",
     "connections", "1", "10000", "0", "10001", "outside 1 to 10000"},
    {"ApplicationConnectTimeout", "[[route]]\npath = \"/x\"\n[route.respond]\nfastcgi = \"unix:/run/a.sock\"",
     "connect_timeout", "'1ms'", "'24h'", "'0s'", "'25h'", "outside 1ms to 24h"},
    {"ApplicationTimeout", "[[route]]\npath = \"/x\"\n[route.respond]\nfastcgi = \"unix:/run/a.sock\"",
     "timeout", "'1ms'", "'24h'", "'0s'", "'25h'", "outside 1ms to 24h"},
    {"ApplicationIdleTime", "[[route]]\npath = \"/x\"\n[route.respond]\nfastcgi = \"unix:/run/a.sock\"",
     "idle_time", "'1ms'", "'24h'", "'0s'", "'25h'", "outside 1ms to 24h"},
    {"RouteTimeout", "[[route]]\npath = \"/x\"\nauthorize = \"deny\"", "timeout", "'1ms'", "'24h'", "'0s'",
     "'86401s'", "outside 1ms to 24h"},
};

class Ranges : public testing::TestWithParam<Range> {
 protected:
  [[nodiscard]] Loaded load(std::string_view value) const {
    const Range& range = GetParam();
    return loader_.load(
        whole(std::string(range.table) + "\n" + std::string(range.key) + " = " + std::string(value) + "\n"));
  }

  Loader loader_;
};

TEST_P(Ranges, TakeBothEdges) {
  for (const std::string_view value : {GetParam().least, GetParam().most}) {
    EXPECT_EQ(render_all(load(value)), "0 errors, 0 warnings\n") << value;
  }
}

TEST_P(Ranges, RefuseWhatIsBeyondAndTellTheRange) {
  for (const std::string_view value : {GetParam().below, GetParam().above}) {
    if (value.empty()) continue;  // No smaller value can be written.
    const Loaded loaded = load(value);
    EXPECT_FALSE(loaded.config) << value;
    ASSERT_EQ(loaded.diagnostics.size(), 1U) << render_all(loaded);
    std::string shown(value);
    for (char& each : shown) each = each == '\'' ? '"' : each;
    EXPECT_EQ(loaded.diagnostics[0].message,
              '`' + std::string(GetParam().key) + "` is " + shown + ", " + std::string(GetParam().told));
  }
}

INSTANTIATE_TEST_SUITE_P(Keys, Ranges, testing::ValuesIn(ranges),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(RangeEdges, AreKeptAsTheyAre) {
  const Loader loader;
  const Loaded loaded =
      loader.load(whole("[limits]\nbody_bytes = '1048576GiB'\nidle_time = '24h'\nspool_memory = '0B'\n"));
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->limits.body_bytes, 1ULL << 50U);
  EXPECT_EQ(loaded.config->limits.idle_time, std::chrono::hours(24));
  EXPECT_EQ(loaded.config->limits.spool_memory, 0U);
}

}  // namespace
}  // namespace trivet::config
