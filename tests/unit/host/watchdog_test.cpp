#include "runtime/host/watchdog.hpp"

#include <gtest/gtest.h>

namespace trivet::host {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A supervisor that looks once a second, and a worker.
class WatchdogTest : public testing::Test {
 protected:
  WatchdogTest() { dog_.begin(beats_, now_); }

  /// Whether it has hung at any look in that time.
  bool look_for(seconds time) {
    bool hung = false;
    for (seconds passed{}; passed < time; passed += seconds(1)) {
      now_ += seconds(1);
      hung = look() || hung;
    }
    return hung;
  }
  bool look() {
    return dog_.has_hung(beats_, now_, [this] {
      ++asked_;
      return stopped_;
    });
  }

  Watchdog dog_{milliseconds(30'000)};
  base::TimePoint now_ = base::TimePoint{} + std::chrono::hours(1);
  std::uint64_t beats_ = 7;
  bool stopped_ = false;
  int asked_ = 0;
};

TEST_F(WatchdogTest, AWorkerThatSaysNothingForItsTimeHasHung) {
  EXPECT_FALSE(look_for(seconds(29)));
  EXPECT_TRUE(look_for(seconds(1)));
  EXPECT_TRUE(look_for(seconds(1)));
}

TEST_F(WatchdogTest, OneBeatIsEnough) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(look_for(seconds(29)));
    ++beats_;
    EXPECT_FALSE(look_for(seconds(1)));
  }
}

TEST_F(WatchdogTest, ABeatThatRunsBackwardsIsABeat) {
  EXPECT_FALSE(look_for(seconds(29)));
  beats_ = 0;
  EXPECT_FALSE(look_for(seconds(29)));
}

TEST_F(WatchdogTest, AWorkerThatIsStoppedHasNotHungAndHasItsWholeTimeAfterwards) {
  stopped_ = true;
  EXPECT_FALSE(look_for(seconds(300)));
  stopped_ = false;
  EXPECT_FALSE(look_for(seconds(29)));
  EXPECT_TRUE(look_for(seconds(31)));
}

TEST_F(WatchdogTest, TheKernelIsAskedOnlyAboutWhoWouldBeKilled) {
  EXPECT_FALSE(look_for(seconds(29)));
  EXPECT_EQ(asked_, 0);
  EXPECT_TRUE(look_for(seconds(1)));
  EXPECT_EQ(asked_, 1);
}

TEST_F(WatchdogTest, WhatPassedWhileNobodyLookedSaysLittle) {
  now_ += std::chrono::hours(1);
  EXPECT_FALSE(look());
  EXPECT_FALSE(look_for(seconds(27)));
  EXPECT_TRUE(look_for(seconds(1)));
}

TEST_F(WatchdogTest, BeginsAnewWithTheNextWorker) {
  EXPECT_FALSE(look_for(seconds(29)));
  dog_.begin(beats_, now_);
  EXPECT_FALSE(look_for(seconds(29)));
}

TEST_F(WatchdogTest, WithoutATimeNothingHangs) {
  dog_ = Watchdog(std::nullopt);
  dog_.begin(beats_, now_);
  EXPECT_FALSE(look_for(seconds(3600)));
}

}  // namespace
}  // namespace trivet::host
