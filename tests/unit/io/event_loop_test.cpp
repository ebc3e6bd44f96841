#include "runtime/io/event_loop.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <random>
#include <thread>

#include "tests/unit/io/allocation_counter.hpp"
#include "tests/unit/io/io_test_support.hpp"

namespace trivet::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(EventLoop, RunsWhatWasPostedBeforeItRan) {
  EventLoop loop;
  bool ran = false;
  TestTask task([&] {
    ran = true;
    loop.stop();
  });
  loop.post(task);
  EXPECT_FALSE(ran);
  loop.run();
  EXPECT_TRUE(ran);
}

TEST(EventLoop, NeverRunsATaskInsidePost) {
  EventLoop loop;
  std::string order;
  TestTask second([&] {
    order += "second ";
    loop.stop();
  });
  TestTask first([&] {
    loop.post(second);
    order += "first ";
  });
  loop.post(first);
  loop.run();
  EXPECT_EQ(order, "first second ");
}

TEST(EventLoop, StopsAtOnceWhenStoppedBeforeAndRunsAgain) {
  EventLoop loop;
  loop.stop();
  loop.run();
  int runs = 0;
  TestTask task([&] {
    ++runs;
    loop.stop();
  });
  for (int i = 0; i < 3; ++i) {
    loop.post(task);
    loop.run();
  }
  EXPECT_EQ(runs, 3);
}

TEST(EventLoop, LetsSocketsAndTimersHaveTheirTurnWhileATaskPostsItselfForEver) {
  EventLoop loop;
  TestTask* again = nullptr;
  TestTask restless([&] { loop.post(*again); });
  again = &restless;
  loop.post(restless);
  Pair pair = Pair::unix_sockets();
  RecordingEvents events;
  const auto socket = adopt(loop, pair.host, events);
  socket->await_readable();
  ASSERT_EQ(::write(pair.peer.get(), "x", 1), 1);
  EXPECT_TRUE(run_until(loop, [&] { return events.readable == 1; }));
}

TEST(EventLoop, TellsInTheNextRunWhatItHadFoundWhenItWasStopped) {
  constexpr std::size_t count = 10;
  EventLoop loop;
  std::vector<RecordingEvents> events(count);
  std::vector<std::unique_ptr<Transport>> sockets;
  std::vector<process::FileDescriptor> peers;
  TestTimer due([](base::TimePoint) {});
  const base::TimePoint start = base::Clock::now();
  loop.timers().arm(due, start + milliseconds(1));
  for (std::size_t i = 0; i < count; ++i) {
    Pair pair = Pair::unix_sockets();
    sockets.push_back(adopt(loop, pair.host, events[i]));
    sockets.back()->await_readable();
    peers.push_back(std::move(pair.peer));
    ASSERT_EQ(::write(peers.back().get(), "x", 1), 1);
    events[i].when_readable = [&] { loop.stop(); };
  }
  while (base::Clock::now() < start + milliseconds(2)) {
  }
  // Sockets and timer are ready at once, and the first that is told ends the run.
  const auto told = [&] {
    std::size_t sum = 0;
    for (const RecordingEvents& each : events) sum += static_cast<std::size_t>(each.readable);
    return sum;
  };
  for (std::size_t run = 1; run <= count; ++run) {
    loop.run();
    EXPECT_EQ(told(), run);
  }
  EXPECT_TRUE(run_until(loop, [&] { return !due.armed(); }));
}

TEST(EventLoop, DoesWhatIsDoneBetweenEventsAfterFewOfManyAndBeforeItWaits) {
  constexpr int count = 100;
  EventLoop loop;
  int told = 0;
  int since = 0;
  int most = 0;
  TestTask between([&] {
    most = std::max(most, since);
    since = 0;
    if (told == count) loop.stop();
  });
  std::vector<RecordingEvents> events(count);
  std::vector<std::unique_ptr<Transport>> sockets;
  std::vector<process::FileDescriptor> peers;
  for (RecordingEvents& each : events) {
    Pair pair = Pair::unix_sockets();
    sockets.push_back(adopt(loop, pair.host, each));
    sockets.back()->await_readable();
    peers.push_back(std::move(pair.peer));
    ASSERT_EQ(::write(peers.back().get(), "x", 1), 1);
    each.when_readable = [&] {
      ++told;
      ++since;
    };
  }
  loop.set_between(&between);
  loop.run();  // Nothing else ends it: it asked before it waited for more.
  EXPECT_EQ(told, count);
  EXPECT_EQ(most, 16);
}

TEST(EventLoop, RunsTheTasksOfFourThreadsEachInOrder) {
  constexpr int threads = 4;
  constexpr int tasks = 5000;
  EventLoop loop;
  struct Numbered final : base::Task {
    std::vector<int>* seen = nullptr;
    int number = 0;
    void run() override { seen->push_back(number); }
  };
  std::array<std::vector<int>, threads> seen;
  std::vector<std::deque<Numbered>> all(threads);
  std::vector<std::thread> posters;
  for (std::size_t t = 0; t < threads; ++t) {
    all[t].resize(tasks);
    for (int i = 0; i < tasks; ++i) {
      all[t][static_cast<std::size_t>(i)].seen = &seen[t];
      all[t][static_cast<std::size_t>(i)].number = i;
    }
    posters.emplace_back([&loop, &mine = all[t]] {
      for (Numbered& task : mine) loop.post(task);
    });
  }
  const auto done = [&] {
    return std::all_of(seen.begin(), seen.end(), [](const auto& each) { return each.size() == tasks; });
  };
  EXPECT_TRUE(run_until(loop, done));
  for (auto& poster : posters) poster.join();
  for (const auto& each : seen) EXPECT_TRUE(std::is_sorted(each.begin(), each.end()));
}

TEST(EventLoop, IsWokenByAThreadAndAnswersIt) {
  // One task at a time there and back, so that every post meets a loop that sleeps or is about to.
  EventLoop loop;
  std::atomic<int> served{0};
  TestTask task([&] { ++served; });
  TestTask stop([&] { loop.stop(); });
  std::thread poster([&] {
    for (int i = 0; i < 2000; ++i) {
      loop.post(task);
      while (served.load() == i) std::this_thread::yield();
    }
    loop.post(stop);
  });
  loop.run();
  poster.join();
  EXPECT_EQ(served.load(), 2000);
}

// Whoever posts rings only for a loop that sleeps: this one falls asleep and wakes up all the time.
TEST(EventLoop, HearsAThreadAlthoughItIsAboutToSleep) {
  EventLoop loop;
  std::atomic<int> served{0};
  TestTask task([&] { ++served; });
  TestTask stop([&] { loop.stop(); });
  TestTimer* again = nullptr;
  TestTimer restless([&](base::TimePoint now) {
    loop.timers().arm(*again, now + std::chrono::microseconds(served.load() % 50));
  });
  again = &restless;
  loop.timers().arm(restless, loop.now());
  std::thread poster([&] {
    for (int i = 0; i < 5000; ++i) {
      loop.post(task);
      while (served.load() == i) std::this_thread::yield();
    }
    loop.post(stop);
  });
  loop.run();
  poster.join();
  EXPECT_EQ(served.load(), 5000);
}

TEST(EventLoop, HoldsTimeStillWithinATurnAndMovesItBetween) {
  EventLoop loop;
  base::TimePoint first;
  TestTimer second_turn([&](base::TimePoint now) {
    EXPECT_GT(now, first);
    EXPECT_EQ(now, loop.now());
    loop.stop();
  });
  TestTask task([&] {
    first = loop.now();
    const auto until = base::Clock::now() + milliseconds(2);
    while (base::Clock::now() < until) {
    }
    EXPECT_EQ(loop.now(), first);
    loop.timers().arm(second_turn, first + milliseconds(3));
  });
  loop.post(task);
  loop.run();
  const base::TimePoint before = base::Clock::now();
  const base::TimePoint outside = loop.now();
  EXPECT_GE(outside, before);
  EXPECT_GE(loop.now(), outside);
}

TEST(EventLoop, FiresTenThousandTimersNoneEarlyAllInOrder) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  EventLoop loop;
  std::deque<TestTimer> timers;
  std::size_t fired = 0;
  base::TimePoint last{};
  const base::TimePoint start = loop.now();
  for (int i = 0; i < 10'000; ++i) {
    const base::TimePoint deadline = start + std::chrono::microseconds(random() % 50'000);
    timers.emplace_back([&, deadline](base::TimePoint now) {
      EXPECT_LE(deadline, now);
      EXPECT_LE(deadline, base::Clock::now());
      EXPECT_LE(last, deadline);
      last = deadline;
      ++fired;
    });
    loop.timers().arm(timers.back(), deadline);
  }
  EXPECT_TRUE(run_until(loop, [&] { return fired == timers.size(); }));
}

TEST(EventLoop, SetsTheKernelTimerOnlyForAnEarlierDeadline) {
  EventLoop loop;
  TestTimer header([](base::TimePoint) { ADD_FAILURE() << "cancelled timer fired"; });
  TestTimer stall([](base::TimePoint) { ADD_FAILURE() << "cancelled timer fired"; });
  int requests = 0;
  TestTask* again = nullptr;
  // Each turn is one small request: deadlines are armed, re-armed and cancelled.
  TestTask request([&] {
    loop.timers().arm(header, loop.now() + seconds(5));
    loop.timers().arm(stall, loop.now() + seconds(60));
    if (requests % 2 == 0) header.cancel();  // every other request ends in a later turn
    loop.timers().arm(stall, loop.now() + seconds(61));
    if (++requests == 1000) {
      loop.stop();
      return;
    }
    loop.post(*again);
  });
  again = &request;
  loop.post(request);
  loop.run();
  EXPECT_EQ(requests, 1000);
  // The first stall deadline, and the first header deadline, which is earlier.
  EXPECT_LE(loop.wakeups_scheduled(), 2U);
  header.cancel();
  stall.cancel();
}

TEST(EventLoop, FiresAnEarlierDeadlineAlthoughALaterOneIsSet) {
  EventLoop loop;
  TestTimer late([](base::TimePoint) {});
  TestTimer early([&](base::TimePoint) { loop.stop(); });
  TestTask arm_early([&] { loop.timers().arm(early, loop.now() + milliseconds(1)); });
  loop.timers().arm(late, loop.now() + seconds(3600));
  loop.post(arm_early);
  loop.run();
  EXPECT_TRUE(late.armed());
}

TEST(EventLoop, FiresALaterDeadlineAfterAnEarlierOneWasCancelled) {
  EventLoop loop;
  TestTimer cancelled([](base::TimePoint) { ADD_FAILURE() << "cancelled timer fired"; });
  TestTimer late([&](base::TimePoint) { loop.stop(); });
  loop.timers().arm(cancelled, loop.now() + milliseconds(1));
  loop.timers().arm(late, loop.now() + milliseconds(10));
  TestTask cancel([&] { cancelled.cancel(); });
  loop.post(cancel);
  loop.run();
  EXPECT_FALSE(late.armed());
}

TEST(EventLoop, AllocatesNothingToPassTasks) {
  EventLoop loop;
  int left = 1000;
  std::size_t before = 0;
  std::size_t after = 0;
  struct Ping final : base::Task {
    std::function<void()> body;
    void run() override { body(); }
  } ping;
  ping.body = [&] {
    if (left == 900) before = allocations();
    if (--left == 0) {
      after = allocations();
      loop.stop();
    } else {
      loop.post(ping);
    }
  };
  loop.post(ping);
  loop.run();
  EXPECT_EQ(before, after);
}

TEST(EventLoop, MayGoWithTasksAndTimersPending) {
  TestTask task([] { ADD_FAILURE(); });
  TestTimer timer([](base::TimePoint) { ADD_FAILURE(); });
  {
    EventLoop loop;
    loop.post(task);
    loop.timers().arm(timer, loop.now() + seconds(1));
  }
  EXPECT_FALSE(timer.armed());
}

TEST(EventLoop, OpensAsAResult) {
  auto loop = EventLoop::open();
  ASSERT_TRUE(loop);
  EXPECT_EQ((*loop)->read_buffer().size(), EventLoop::read_buffer_size);
}

}  // namespace
}  // namespace trivet::io
