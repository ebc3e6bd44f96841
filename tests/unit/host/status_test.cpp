#include "runtime/host/status.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace trivet::host {
namespace {

Status example() {
  Status status;
  status.version = "1.2.3";
  status.generation = 3;
  status.pid = 4711;
  status.uptime = std::chrono::hours(76);
  status.state = "serving";
  status.workers = {
      {0, 4, 4712, 3, "serving", std::chrono::minutes(12) + std::chrono::seconds(3), 1200, 7, 31, 12'900'000},
      {1, 1, 4713, 2, "retiring", std::chrono::seconds(5), 9, 0, 0, 1024 * 1024}};
  status.totals.requests = {1000, 200, 9};
  status.totals.responses = {1, 0, 1100, 20, 80, 8};
  status.totals.verdicts = {150, 40, 10};
  status.totals.requests_open = 7;
  status.totals.connections_accepted = 40;
  status.totals.connections_open = 31;
  status.totals.connections_closed = 9;
  status.totals.bytes_in = 123456;
  status.totals.bytes_out = 654321;
  status.totals.limits_hit = 2;
  process::PluginTotals token{200, 10, 3, 4, 190, 190 * 2'500'000ULL, 190 * 9'000ULL, 2, 4, 1, 70, 30, 5, 6};
  status.plugins = {{"token", token}, {"hello", {}}};
  process::RouteTotals docs;
  docs.requests = 1209;
  docs.responses = status.totals.responses;
  docs.verdicts = status.totals.verdicts;
  docs.head_time = 1209 * 1'000'000ULL;
  status.routes = {{"docs", docs}};
  status.listeners = {{"web", "unix:/run/trivet/trivet.sock"}};
  return status;
}

TEST(StatusAsText, IsAPageOfTables) {
  EXPECT_EQ(as_text(example()), R"(trivet 1.2.3  serving  generation 3  pid 4711  up 3d 4h

worker  slot   pid  generation     state      up  requests  in flight  connections    memory
0          4  4712           3   serving  12m 3s      1200          7           31  12.3 MiB
1          1  4713           2  retiring      5s         9          0            0   1.0 MiB

requests     responder 1000, authorizer 200, filter 9, in flight 7
responses    2xx 1100, 3xx 20, 4xx 80, 5xx 8, none 1
verdicts     allow 150, deny 40, error 10
connections  open 31, accepted 40, closed 9
bytes        in 123456, out 654321
lost         limits hit 2, records ignored 0, log lines 0

plugin  calls  errors  timeouts  refused  waiting  running  lost    mean
token     200      10         3        4        2        4     1  2.5 ms
hello       0       0         0        0        0        0     0       -

guard  remembered  not remembered  shadow allows  shadow denies
token          70              30              5              6

route  requests  allow  deny  error  4xx  5xx
docs       1209    150    40     10   80    8

listener  address
web       unix:/run/trivet/trivet.sock
)");
}

TEST(StatusAsText, FitsAHundredColumnsWhateverTheNames) {
  Status status = example();
  const std::string wide = "\xe6\x97\xa5";  // Two columns.
  std::string name;
  for (int i = 0; i < 100; ++i) name += wide;
  status.plugins[0].name = status.routes[0].name = status.listeners[0].name = name;
  status.listeners[0].address = "unix:/" + std::string(101, 'x');
  status.workers[0].requests = status.plugins[0].counts.calls = status.routes[0].counts.requests =
      123'456'789'012;
  std::istringstream lines(as_text(status));
  std::size_t cut = 0;
  for (std::string line; std::getline(lines, line);) {
    std::size_t columns = line.size();
    for (std::size_t at = 0; (at = line.find(wide, at)) != std::string::npos; at += wide.size()) --columns;
    EXPECT_LE(columns, 100U) << line;
    if (line.find("...") != std::string::npos) ++cut;
  }
  EXPECT_EQ(cut, 4U);
}

TEST(StatusAsText, SendsATerminalNothingThatSteersIt) {
  Status status = example();
  status.routes[0].name = "a\x1b[2Jb\n";
  const std::string text = as_text(status);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("\na\\x1b[2Jb\\n      1209"), std::string::npos) << text;
}

TEST(StatusAsText, LeavesOutTablesThatAreEmpty) {
  const std::string text = as_text({});
  EXPECT_EQ(text.find("plugin"), std::string::npos);
  EXPECT_EQ(text.find("worker"), std::string::npos);
}

struct TimeCase {
  std::uint64_t nanoseconds;
  std::string_view expected;
};
constexpr TimeCase time_cases[] = {
    {700, "0.7 us"}, {999'900, "999.9 us"}, {1'000'000, "1.0 ms"}, {1'500'000'000, "1.5 s"}};

TEST(StatusAsText, ShowsMeanTimesInTheUnitThatFits) {
  for (const TimeCase& each : time_cases) {
    Status status;
    status.plugins = {{"x", {}}};
    status.plugins[0].counts.timed = 3;
    status.plugins[0].counts.running_time = 3 * each.nanoseconds;
    const std::string text = as_text(status);
    EXPECT_NE(text.find("  " + std::string(each.expected) + "\n"), std::string::npos) << text;
  }
}

TEST(Statuses, NameWhatTheConfigurationNamesAndCountWhatWasCounted) {
  auto statistics = process::Statistics::make({2, 1, 1});
  ASSERT_TRUE(statistics);
  const process::Statistics::Row row = statistics->take(0);
  process::add(row.plugins[0].calls, 5);
  process::add(row.routes[0].requests, 6);
  process::StatisticsTotals counted;
  counted.add(*statistics, {{"new"}, {"docs"}}, process::StatisticsTotals::Workers::at_work);
  config::Config config;
  for (const char* name : {"unused", "new"}) config.plugins.emplace_back().name = name;
  config.routes.emplace_back().name = "docs";
  config.listen.emplace_back().name = "web";
  config.listen.back().text = "tcp:127.0.0.1:9000";
  Status status;
  fill_in(status, config, counted);
  ASSERT_EQ(status.plugins.size(), 2U);
  EXPECT_EQ(status.plugins[0].name, "unused");
  EXPECT_EQ(status.plugins[0].counts.calls, 0U);
  EXPECT_EQ(status.plugins[1].counts.calls, 5U);
  ASSERT_EQ(status.routes.size(), 1U);
  EXPECT_EQ(status.routes[0].counts.requests, 6U);
  ASSERT_EQ(status.listeners.size(), 1U);
  EXPECT_EQ(status.listeners[0].address, "tcp:127.0.0.1:9000");
}

TEST(StatusAsJson, IsOneObjectOfNumbersAndNames) {
  Status status = example();
  status.workers.pop_back();
  status.routes[0].name = "a\"b\\\n";
  EXPECT_EQ(
      as_json(status),
      R"({"version":"1.2.3","generation":3,"pid":4711,"uptime_seconds":273600,"state":"serving","workers":[)"
      R"({"worker":0,"slot":4,"pid":4712,"generation":3,"state":"serving","uptime_seconds":723,)"
      R"("requests":1200,"in_flight":7,"connections":31,"memory_bytes":12900000}],"totals":{)"
      R"("requests":{"responder":1000,"authorizer":200,"filter":9},)"
      R"("responses":{"none":1,"1xx":0,"2xx":1100,"3xx":20,"4xx":80,"5xx":8},)"
      R"("verdicts":{"allow":150,"deny":40,"error":10},"in_flight":7,"connections_accepted":40,)"
      R"("connections_open":31,"connections_closed":9,"bytes_in":123456,"bytes_out":654321,"limits_hit":2,)"
      R"("records_ignored":0,"log_lines_lost":0},"plugins":[)"
      R"({"name":"token","calls":200,"errors":10,"timeouts":3,"refused":4,"waiting":2,"running":4,"lost":1,)"
      R"("mean_microseconds":2500,"mean_queue_microseconds":9,)"
      R"("remembered":70,"not_remembered":30,"shadow_allows":5,"shadow_denies":6},)"
      R"({"name":"hello","calls":0,"errors":0,"timeouts":0,"refused":0,"waiting":0,"running":0,"lost":0,)"
      R"("mean_microseconds":null,"mean_queue_microseconds":null,)"
      R"("remembered":0,"not_remembered":0,"shadow_allows":0,"shadow_denies":0}],"routes":[)"
      R"({"name":"a\"b\\\u000a","requests":1209,)"
      R"("responses":{"none":1,"1xx":0,"2xx":1100,"3xx":20,"4xx":80,"5xx":8},)"
      R"("verdicts":{"allow":150,"deny":40,"error":10},"mean_head_microseconds":1000}],"listeners":[)"
      R"({"name":"web","address":"unix:/run/trivet/trivet.sock"}]})"
      "\n");
}

}  // namespace
}  // namespace trivet::host
