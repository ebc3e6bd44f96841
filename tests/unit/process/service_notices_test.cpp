#include "runtime/process/service_notices.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

namespace trivet::process {
namespace {

using std::chrono_literals::operator""s;
using testing::ElementsAre;
using testing::MatchesRegex;

class StillLoop final : public base::Loop {
 public:
  [[nodiscard]] base::TimePoint now() const noexcept override { return now_; }
  base::TimerQueue& timers() noexcept override { return timers_; }
  void post(base::Task& /*task*/) noexcept override {}
  void pass(base::Duration time) {
    const base::TimePoint end = now_ + time;
    while (timers_.next() <= end) {
      now_ = timers_.next();
      timers_.run(now_);
    }
    now_ = end;
  }

 private:
  base::TimePoint now_{};
  base::TimerQueue timers_;
};

class Notices : public testing::Test {
 protected:
  ServiceNotices::Tell tell_ = [this](const std::string& state) { told_.push_back(state); };
  StillLoop loop_;
  std::vector<std::string> told_;
};

TEST_F(Notices, TellOfEachStateInOrder) {
  ServiceNotices notices(loop_, std::nullopt, tell_);
  notices.ready("2 workers");
  notices.reloading();
  notices.ready("2 workers, generation 2");
  notices.status("1 worker");
  notices.stopping();
  EXPECT_THAT(told_,
              ElementsAre("READY=1\nSTATUS=2 workers", MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"),
                          "READY=1\nSTATUS=2 workers, generation 2", "STATUS=1 worker", "STOPPING=1"));
}

TEST_F(Notices, OfAServiceThatStopsAreTheLast) {
  ServiceNotices notices(loop_, std::nullopt, tell_);
  notices.stopping();
  notices.stopping();
  notices.ready("late");
  notices.reloading();
  notices.status("late");
  EXPECT_THAT(told_, ElementsAre("STOPPING=1"));
}

TEST_F(Notices, HaveOneLineOfStatus) {
  ServiceNotices notices(loop_, std::nullopt, tell_);
  notices.status("plugin \"x\"\nMAINPID=1");
  EXPECT_THAT(told_, ElementsAre("STATUS=plugin \"x\" MAINPID=1"));
}

TEST_F(Notices, FeedTheWatchdogTwiceInItsTimeAlsoWhileTheServiceStops) {
  ServiceNotices notices(loop_, 10s, tell_);
  EXPECT_THAT(told_, ElementsAre("WATCHDOG=1")) << "at once";
  loop_.pass(4s);
  EXPECT_EQ(told_.size(), 1U);
  loop_.pass(16s);
  EXPECT_EQ(told_.size(), 5U);
  notices.stopping();
  loop_.pass(5s);
  EXPECT_EQ(told_.back(), "WATCHDOG=1");
}

TEST_F(Notices, FeedNoWatchdogWhereThereIsNone) {
  const ServiceNotices notices(loop_, std::nullopt, tell_);
  loop_.pass(100s);
  EXPECT_TRUE(told_.empty());
}

struct Watched {
  const char* name;
  const char* microseconds;  ///< Null: not set.
  bool mine;
  std::optional<base::Duration> expected;
};

class WatchdogInterval : public testing::TestWithParam<Watched> {
 protected:
  ~WatchdogInterval() override {
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
  }
};

TEST_P(WatchdogInterval, IsWhatTheManagerAsksOfThisProcess) {
  if (GetParam().microseconds != nullptr) ::setenv("WATCHDOG_USEC", GetParam().microseconds, 1);
  ::setenv("WATCHDOG_PID", std::to_string(GetParam().mine ? ::getpid() : ::getppid()).c_str(), 1);
  EXPECT_EQ(watchdog_interval(), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Environments, WatchdogInterval,
                         testing::Values(Watched{"Asked", "30000000", true, 30s},
                                         Watched{"OfAnother", "30000000", false, std::nullopt},
                                         Watched{"NotAsked", nullptr, true, std::nullopt},
                                         Watched{"Nonsense", "soon", true, std::nullopt}),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace trivet::process
