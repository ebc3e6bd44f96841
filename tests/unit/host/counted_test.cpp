#include "runtime/host/counted.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>

#include "runtime/base/packing.hpp"

namespace trivet::host {
namespace {

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

process::StatisticsTotals totals(std::uint64_t calls) {
  return {{{"token", {calls, 2, 3, 4, 5, 6, 7, 0, 0, 0, 8, 9, 10, 11}},
           {"a b:c\n", {most, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}},
          {{"docs", {calls + 1, {1, 2, 3, 4, 5, 6}, {7, 8, 9}, 10}}}};
}

Counted example() {
  Counted counted;
  counted.started = base::TimePoint(std::chrono::hours(76) + std::chrono::nanoseconds(1));
  counted.ended.requests = {1000, 200, 9};
  counted.ended.responses = {1, 2, 3, 4, 5, 6};
  counted.ended.verdicts = {150, 40, 10};
  counted.ended.connections_accepted = 11;
  counted.ended.connections_closed = 12;
  counted.ended.bytes_in = 13;
  counted.ended.bytes_out = most;
  counted.ended.limits_hit = 15;
  counted.ended.records_ignored = 16;
  counted.ended.log_lines_lost = 17;
  counted.gone = totals(100);
  counted.seen = totals(500);
  return counted;
}

void expect_same(const process::RouteTotals& got, const process::RouteTotals& wanted) {
  EXPECT_EQ(got.requests, wanted.requests);
  EXPECT_EQ(got.responses, wanted.responses);
  EXPECT_EQ(got.verdicts, wanted.verdicts);
  EXPECT_EQ(got.head_time, wanted.head_time);
}

void expect_same(const process::PluginTotals& got, const process::PluginTotals& wanted) {
  EXPECT_EQ(got.calls, wanted.calls);
  EXPECT_EQ(got.errors, wanted.errors);
  EXPECT_EQ(got.timeouts, wanted.timeouts);
  EXPECT_EQ(got.refused, wanted.refused);
  EXPECT_EQ(got.timed, wanted.timed);
  EXPECT_EQ(got.running_time, wanted.running_time);
  EXPECT_EQ(got.waiting_time, wanted.waiting_time);
  EXPECT_EQ(got.remembered, wanted.remembered);
  EXPECT_EQ(got.not_remembered, wanted.not_remembered);
  EXPECT_EQ(got.shadow_allows, wanted.shadow_allows);
  EXPECT_EQ(got.shadow_denies, wanted.shadow_denies);
}

TEST(CountsForTheNextImage, ComeBackAsTheyWere) {
  const Counted left = example();
  const auto got = unpack_counted(pack(left));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->started, left.started);
  EXPECT_EQ(got->ended.requests, left.ended.requests);
  EXPECT_EQ(got->ended.responses, left.ended.responses);
  EXPECT_EQ(got->ended.verdicts, left.ended.verdicts);
  EXPECT_EQ(got->ended.connections_accepted, 11U);
  EXPECT_EQ(got->ended.connections_closed, 12U);
  EXPECT_EQ(got->ended.bytes_in, 13U);
  EXPECT_EQ(got->ended.bytes_out, most);
  EXPECT_EQ(got->ended.limits_hit, 15U);
  EXPECT_EQ(got->ended.records_ignored, 16U);
  EXPECT_EQ(got->ended.log_lines_lost, 17U);
  for (const char* name : {"token", "a b:c\n", "never"}) {
    expect_same(got->gone.plugin(name), left.gone.plugin(name));
    expect_same(got->seen.plugin(name), left.seen.plugin(name));
  }
  expect_same(got->gone.route("docs"), left.gone.route("docs"));
  expect_same(got->seen.route("docs"), left.seen.route("docs"));
  EXPECT_EQ(got->gone.plugins().size(), 2U);
  EXPECT_EQ(got->gone.routes().size(), 1U);
}

TEST(CountsForTheNextImage, LeaveOutWhatIsOfTheMoment) {
  Counted left;
  left.ended.connections_open = 3;
  left.ended.requests_open = 4;
  left.gone = {{{"token", {0, 0, 0, 0, 0, 0, 0, 5, 6, 7}}}, {}};
  const auto got = unpack_counted(pack(left));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->ended.connections_open, 0U);
  EXPECT_EQ(got->ended.requests_open, 0U);
  EXPECT_EQ(got->gone.plugin("token").waiting, 0U);
  EXPECT_EQ(got->gone.plugin("token").running, 0U);
  EXPECT_EQ(got->gone.plugin("token").lost, 0U);
}

/// What a version with other columns would write, in another order.
std::string of_another_version() {
  base::Packer packer;
  packer.text("trivet counts");
  packer.number(1);
  packer.number(42);
  packer.number(3);
  for (const char* each : {"requests.websocket", "bytes_in", "requests.filter"}) packer.text(each);
  packer.number(1);
  packer.text("");
  for (const std::size_t each : {7U, 8U, 9U}) packer.number(each);
  for (int i = 0; i < 2; ++i) {
    packer.number(2);
    for (const char* each : {"retries", "calls"}) packer.text(each);
    packer.number(1);
    packer.text("token");
    for (const std::size_t each : {5U, 6U}) packer.number(each);
    packer.number(0);  // No column of routes,
    packer.number(1);
    packer.text("docs");
  }
  packer.text("and something new");
  return packer.take();
}

TEST(CountsForTheNextImage, OfAnotherVersionAreTakenByTheNamesOfTheirColumns) {
  const auto got = unpack_counted(of_another_version());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->started, base::TimePoint(base::Duration(42)));
  EXPECT_EQ(got->ended.bytes_in, 8U);
  EXPECT_EQ(got->ended.requests[2], 9U);
  EXPECT_EQ(got->ended.requests[0], 0U);
  EXPECT_EQ(got->ended.bytes_out, 0U);
  EXPECT_EQ(got->gone.plugin("token").calls, 6U);
  EXPECT_EQ(got->gone.plugin("token").errors, 0U);
  EXPECT_EQ(got->seen.plugin("token").calls, 6U);
  EXPECT_EQ(got->gone.route("docs").requests, 0U);
}

TEST(CountsForTheNextImage, ThatAreCutOrSomethingElseAreNothing) {
  for (const std::string& whole : {pack(example()), pack(Counted())}) {
    for (std::size_t size = 0; size < whole.size(); ++size)
      ASSERT_FALSE(unpack_counted(std::string_view(whole).substr(0, size))) << size;
  }
  std::string other = pack(example());
  other[other.find("1:", other.find("counts"))] = '2';
  EXPECT_FALSE(unpack_counted(other));
  EXPECT_FALSE(unpack_counted("something else"));
  EXPECT_FALSE(unpack_counted("13:trivet counts1:1:9999999999:x"));
}

}  // namespace
}  // namespace trivet::host
