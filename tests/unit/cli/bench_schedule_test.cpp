#include <gtest/gtest.h>

#include "runtime/cli/bench/schedule.hpp"

namespace trivet::cli::bench {
namespace {

using namespace std::chrono_literals;

const Clock::time_point start(1000h);

TEST(BenchSchedule, RequestsAreSpacedEvenly) {
  const Schedule schedule(start, 1000);
  EXPECT_EQ(schedule.intended(0), start);
  EXPECT_EQ(schedule.intended(1), start + 1ms);
  EXPECT_EQ(schedule.intended(1500), start + 1500ms);
}

TEST(BenchSchedule, ARateThatDividesNoSecondDoesNotDrift) {
  const Schedule schedule(start, 3);
  EXPECT_EQ(schedule.intended(1), start + 333'333'333ns);
  EXPECT_EQ(schedule.intended(2), start + 666'666'666ns);
  EXPECT_EQ(schedule.intended(3), start + 1s);
  EXPECT_EQ(schedule.intended(3'000'000), start + 1'000'000s);
}

TEST(BenchSchedule, NothingIsDueBeforeTheStartAndOneIsAtIt) {
  const Schedule schedule(start, 10);
  EXPECT_EQ(schedule.due(start - 1ns), 0U);
  EXPECT_EQ(schedule.due(start), 1U);
  EXPECT_EQ(schedule.due(start + 100ms - 1ns), 1U);
  EXPECT_EQ(schedule.due(start + 100ms), 2U);
}

TEST(BenchSchedule, AWholePeriodHasAsManyAsTheRateSays) {
  for (const std::uint64_t rate : {1U, 3U, 7U, 1000U, 999'983U, 10'000'000U}) {
    const Schedule schedule(start, rate);
    EXPECT_EQ(schedule.due(start + 1s - 1ns), rate);
    EXPECT_EQ(schedule.due(start + 24h - 1ns), rate * 86'400) << "no product of a day overflows";
  }
}

TEST(BenchSchedule, DueAndIntendedAgreeOnEveryRequest) {
  for (const std::uint64_t rate : {1U, 3U, 7U, 1000U, 999'983U, 10'000'000U}) {
    const Schedule schedule(start, rate);
    for (const std::uint64_t number : {0U, 1U, 2U, 3U, 6U, 7U, 8U, 1'000'003U, 4'000'000'000U}) {
      const auto at = schedule.intended(number);
      EXPECT_GE(schedule.due(at), number + 1) << "number " << number << " at " << rate;
      EXPECT_LE(schedule.due(at - 1ns), number) << "number " << number << " at " << rate;
    }
  }
}

}  // namespace
}  // namespace trivet::cli::bench
