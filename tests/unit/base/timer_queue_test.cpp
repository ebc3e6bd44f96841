#include "runtime/base/timer_queue.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace trivet::base {
namespace {

using std::chrono::milliseconds;

constexpr TimePoint at(int ms) { return TimePoint(milliseconds(ms)); }

struct TestTimer final : Timer {
  std::function<void(TimePoint)> fired = [](TimePoint) {};

 private:
  void on_timer(TimePoint now) override { fired(now); }
};

TEST(TimerQueue, FiresWhatIsDueEarliestFirst) {
  TimerQueue queue;
  std::vector<int> order;
  std::vector<TestTimer> timers(4);
  const int deadlines[] = {30, 10, 20, 40};
  for (std::size_t i = 0; i < timers.size(); ++i) {
    timers[i].fired = [&order, deadline = deadlines[i]](TimePoint) { order.push_back(deadline); };
    queue.arm(timers[i], at(deadlines[i]));
  }
  EXPECT_EQ(queue.next(), at(10));
  queue.run(at(30));
  EXPECT_EQ(order, (std::vector<int>{10, 20, 30}));
  EXPECT_EQ(queue.next(), at(40));
}

TEST(TimerQueue, TellsNoDeadlineWhenEmpty) {
  TimerQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next(), TimePoint::max());
}

TEST(TimerQueue, FiresOncePerArming) {
  TimerQueue queue;
  TestTimer timer;
  int count = 0;
  timer.fired = [&](TimePoint) { ++count; };
  queue.arm(timer, at(1));
  queue.run(at(5));
  queue.run(at(6));
  EXPECT_EQ(count, 1);
  EXPECT_FALSE(timer.armed());
}

TEST(TimerQueue, ForgetsCancelledAndDestroyedTimers) {
  TimerQueue queue;
  TestTimer cancelled;
  cancelled.fired = [](TimePoint) { ADD_FAILURE() << "cancelled timer fired"; };
  auto destroyed = std::make_unique<TestTimer>();
  queue.arm(cancelled, at(1));
  queue.arm(*destroyed, at(2));
  cancelled.cancel();
  cancelled.cancel();
  destroyed.reset();
  EXPECT_TRUE(queue.empty());
  queue.run(at(10));
}

TEST(TimerQueue, MovesATimerThatIsArmedAgain) {
  TimerQueue queue;
  TestTimer first;
  TestTimer second;
  queue.arm(first, at(10));
  queue.arm(second, at(20));
  queue.arm(first, at(30));
  EXPECT_EQ(queue.next(), at(20));
  queue.arm(first, at(5));
  EXPECT_EQ(queue.next(), at(5));
}

TEST(TimerQueue, LetsATimerDestroyItsOwnerAndOthersWhileItRuns) {
  TimerQueue queue;
  auto self = std::make_unique<TestTimer>();
  auto other = std::make_unique<TestTimer>();
  other->fired = [](TimePoint) { ADD_FAILURE() << "destroyed timer fired"; };
  bool ran = false;
  self->fired = [&](TimePoint) {
    ran = true;
    other.reset();
    self.reset();
  };
  queue.arm(*self, at(1));
  queue.arm(*other, at(1));
  queue.run(at(1));
  EXPECT_TRUE(ran);
  EXPECT_TRUE(queue.empty());
}

TEST(TimerQueue, EndsARunAlthoughATimerArmsItselfForNow) {
  TimerQueue queue;
  TestTimer eager;
  int count = 0;
  eager.fired = [&](TimePoint now) {
    ASSERT_LT(++count, 100) << "the run does not end";
    queue.arm(eager, now);
  };
  bool other_fired = false;
  TestTimer other;
  other.fired = [&](TimePoint) { other_fired = true; };
  queue.arm(eager, at(1));
  queue.arm(other, at(2));
  queue.run(at(5));
  EXPECT_TRUE(other_fired);
  EXPECT_TRUE(eager.armed());
}

TEST(TimerQueue, MayGoBeforeItsTimers) {
  TestTimer timer;
  {
    TimerQueue queue;
    queue.arm(timer, at(1));
  }
  EXPECT_FALSE(timer.armed());
  TimerQueue another;
  another.arm(timer, at(2));
  EXPECT_EQ(another.next(), at(2));
}

TEST(TimerQueue, TakesATimerOverFromAnotherQueue) {
  TestTimer timer;
  TimerQueue one;
  TimerQueue two;
  one.arm(timer, at(1));
  two.arm(timer, at(2));
  EXPECT_TRUE(one.empty());
  EXPECT_EQ(two.next(), at(2));
}

TEST(TimerQueue, KeepsOrderOverManyRandomSteps) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  TimerQueue queue;
  std::vector<std::unique_ptr<TestTimer>> timers(300);
  TimePoint last{};
  int fired = 0;
  for (auto& timer : timers) {
    timer = std::make_unique<TestTimer>();
    timer->fired = [&, self = timer.get()](TimePoint now) {
      EXPECT_LE(self->deadline(), now);
      EXPECT_LE(last, self->deadline());
      last = self->deadline();
      ++fired;
    };
  }
  int now = 0;
  for (int step = 0; step < 20'000; ++step) {
    TestTimer& timer = *timers[random() % timers.size()];
    switch (random() % 4) {
      case 0:
        timer.cancel();
        break;
      case 1:
      case 2:
        queue.arm(timer, at(now + 1 + static_cast<int>(random() % 1000)));
        break;
      case 3: {
        now += static_cast<int>(random() % 20);
        last = TimePoint{};
        queue.run(at(now));
        ASSERT_GT(queue.next(), at(now));
        break;
      }
    }
    TimePoint earliest = TimePoint::max();
    for (const auto& each : timers) {
      if (each->armed()) earliest = std::min(earliest, each->deadline());
    }
    ASSERT_EQ(queue.next(), earliest) << "step " << step;
  }
  EXPECT_GT(fired, 100);
}

}  // namespace
}  // namespace trivet::base
