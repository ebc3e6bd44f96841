#include "runtime/host/suspects.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace trivet::host {
namespace {

using std::chrono::seconds;

class Suspicion : public testing::Test {
 protected:
  /// True: the last of `count` ends, `wait` after the one before, suspended it.
  bool ends(int count, base::Duration wait, const std::string& plugin = "p") {
    bool suspended = false;
    for (int i = 0; i < count; ++i) {
      now += wait;
      suspended = suspects.ended(plugin, now);
    }
    return suspended;
  }
  bool later(base::Duration time) {
    now += time;
    return suspects.release(now);
  }

  static constexpr auto apart = std::chrono::milliseconds(500);
  Suspects suspects;
  base::TimePoint now = base::TimePoint() + std::chrono::hours(1);
};

TEST_F(Suspicion, FallsOnWhoEndedFiveWorkersWithinThreeSeconds) {
  EXPECT_FALSE(ends(4, apart));
  EXPECT_FALSE(suspects.any());
  EXPECT_FALSE(ends(1, apart, "another"));
  EXPECT_TRUE(ends(1, apart));
  EXPECT_EQ(suspects.names(), "p\n");
  EXPECT_EQ(suspects.time_of("p"), seconds(1));
  EXPECT_EQ(suspects.time_of("another"), seconds(0));
  EXPECT_EQ(suspects.next_release(), now + seconds(1));
  EXPECT_TRUE(later(seconds(1)));
  EXPECT_FALSE(suspects.next_release());
}

TEST_F(Suspicion, FallsOnNobodyWhoEndsOneNowAndThen) { EXPECT_FALSE(ends(1000, seconds(1))); }

TEST_F(Suspicion, LastsLongerEachTimeUpToTenSeconds) {
  ASSERT_TRUE(ends(5, apart));
  for (const int time : {1, 2, 4, 8, 10, 10}) {
    EXPECT_EQ(suspects.time_of("p"), seconds(time));
    EXPECT_FALSE(suspects.ended("p", now)) << "one that had begun before";
    EXPECT_FALSE(later(seconds(time) - std::chrono::milliseconds(1)));
    EXPECT_TRUE(later(std::chrono::milliseconds(1)));
    EXPECT_FALSE(suspects.any());
    EXPECT_EQ(suspects.names(), "");
    EXPECT_TRUE(ends(1, seconds(1)));
  }
}

TEST_F(Suspicion, IsForgottenAfterTenSecondsWithoutAnEnd) {
  ASSERT_TRUE(ends(5, apart));
  EXPECT_TRUE(later(seconds(1)));
  EXPECT_FALSE(later(seconds(10)));
  EXPECT_FALSE(ends(4, std::chrono::milliseconds(1)));
  EXPECT_TRUE(ends(1, std::chrono::milliseconds(1)));
  EXPECT_EQ(suspects.time_of("p"), seconds(1));
}

}  // namespace
}  // namespace trivet::host
