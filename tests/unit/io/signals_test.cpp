#include "runtime/io/signals.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <thread>
#include <vector>

#include "tests/unit/io/io_test_support.hpp"

namespace trivet::io {
namespace {

class SignalDelivery : public testing::TestWithParam<int> {};

TEST_P(SignalDelivery, ReachesTheLoop) {
  EventLoop loop;
  std::vector<int> got;
  auto signals = Signals::open(loop, [&](int number) { got.push_back(number); });
  ASSERT_TRUE(signals);
  ::kill(::getpid(), GetParam());
  EXPECT_TRUE(run_until(loop, [&] { return !got.empty(); }));
  EXPECT_EQ(got, std::vector<int>{GetParam()});
}

INSTANTIATE_TEST_SUITE_P(All, SignalDelivery,
                         testing::Values(SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGHUP, SIGUSR2));

TEST(Signals, ThatArriveTogetherAreAllTold) {
  EventLoop loop;
  std::vector<int> got;
  auto signals = Signals::open(loop, [&](int number) { got.push_back(number); });
  ASSERT_TRUE(signals);
  for (const int number : {SIGHUP, SIGUSR1, SIGTERM, SIGTERM}) ::kill(::getpid(), number);
  EXPECT_TRUE(run_until(loop, [&] { return got.size() >= 3; }));
  EXPECT_EQ(got, (std::vector<int>{SIGTERM, SIGUSR1, SIGHUP}));
}

TEST(Signals, ArriveFromAnotherThreadWhileTheLoopSleeps) {
  EventLoop loop;
  std::thread::id told_on;
  auto signals = Signals::open(loop, [&](int) {
    told_on = std::this_thread::get_id();
    loop.stop();
  });
  ASSERT_TRUE(signals);
  std::thread other([] { ::raise(SIGTERM); });
  loop.run();
  other.join();
  EXPECT_EQ(told_on, std::this_thread::get_id());
}

TEST(Signals, AreWatchedOnceInAProcess) {
  EventLoop loop;
  auto first = Signals::open(loop, [](int) {});
  ASSERT_TRUE(first);
  EXPECT_FALSE(Signals::open(loop, [](int) {}));
  std::move(first).value().reset();
  EXPECT_TRUE(Signals::open(loop, [](int) {}));
}

TEST(Signals, MayBeGivenUpInsideTheCallback) {
  EventLoop loop;
  std::unique_ptr<Signals> signals;
  int calls = 0;
  auto opened = Signals::open(loop, [&](int) {
    ++calls;
    signals.reset();
  });
  ASSERT_TRUE(opened);
  signals = std::move(opened).value();
  ::kill(::getpid(), SIGUSR1);
  ::kill(::getpid(), SIGUSR2);
  EXPECT_TRUE(run_until(loop, [&] { return calls > 0; }));
  run_for(loop, std::chrono::milliseconds(5));
  EXPECT_EQ(calls, 1);
}

TEST(Signals, DoAgainWhatTheyDidBeforeAfterwards) {
  struct sigaction mine{};
  mine.sa_handler = SIG_IGN;
  struct sigaction saved{};
  ::sigaction(SIGUSR1, &mine, &saved);
  EventLoop loop;
  {
    ASSERT_TRUE(Signals::open(loop, [](int) {}));
  }
  struct sigaction after{};
  ::sigaction(SIGUSR1, &saved, &after);
  EXPECT_EQ(after.sa_handler, SIG_IGN);
  struct sigaction pipe{};
  ::sigaction(SIGPIPE, nullptr, &pipe);
  EXPECT_EQ(pipe.sa_handler, SIG_IGN);
}

}  // namespace
}  // namespace trivet::io
