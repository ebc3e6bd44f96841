#include "runtime/plugin/threads.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace trivet::plugin {
namespace {

/// Something that happens once and can be waited for.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

class FunctionJob final : public Job {
 public:
  using Function = std::function<void(void* instance, std::uint32_t thread)>;
  explicit FunctionJob(Function function) : function_(std::move(function)) {}
  void run(void* instance, std::uint32_t thread) override { function_(instance, thread); }

 private:
  Function function_;
};

/// Holds one thread until it is let go.
struct Blocker {
  Gate began;
  Gate release;
  std::uint32_t thread = 0;
  FunctionJob job{[this](void*, std::uint32_t number) {
    thread = number;
    began.open();
    release.wait();
  }};
};

std::vector<void*> one_instance() { return {nullptr}; }

TEST(Threads, RunAJobWithTheInstanceOfTheThread) {
  std::array<int, 3> instances{};
  Threads threads("t", {&instances[0], &instances[1], &instances[2]}, 8);
  for (std::uint32_t thread = 0; thread < 3; ++thread) {
    Gate done;
    FunctionJob job([&](void* instance, std::uint32_t number) {
      EXPECT_EQ(number, thread);
      EXPECT_EQ(instance, &instances[thread]);
      done.open();
    });
    threads.submit_to(thread, job);
    done.wait();
  }
}

TEST(Threads, ThatSleepWakeForEachJobThatComesAlone) {
  Threads threads("t", {nullptr, nullptr}, 8);
  for (std::uint32_t turn = 0; turn < 2000; ++turn) {
    Gate done;
    FunctionJob job([&](void*, std::uint32_t) { done.open(); });
    if (turn % 3 == 0) {
      ASSERT_TRUE(threads.submit(job));
    } else {
      threads.submit_to(turn % 2, job);
    }
    done.wait();
  }
}

TEST(Threads, WakeWhenRungWhereWakeupsAreGathered) {
  Threads threads("t", {nullptr, nullptr}, 8);
  bool waited = false;
  // One that has not fallen asleep yet takes what it is given without being woken: then again.
  for (int attempt = 0; attempt < 100 && !waited; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> ran{0};
    Gate done;
    const auto count = [&](void*, std::uint32_t) {
      if (++ran == 4) done.open();
    };
    std::array<FunctionJob, 4> jobs{FunctionJob(count), FunctionJob(count), FunctionJob(count),
                                    FunctionJob(count)};
    Wakeups wakeups;
    for (FunctionJob& job : jobs) EXPECT_TRUE(threads.submit(job));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    waited = ran == 0;
    wakeups.ring();
    done.wait();
  }
  EXPECT_TRUE(waited);
}

TEST(Threads, WakeWhenNobodyGathersWakeupsAnyMore) {
  Threads threads("t", one_instance(), 8);
  for (int i = 0; i < 100; ++i) {
    Gate done;
    FunctionJob job([&](void*, std::uint32_t) { done.open(); });
    {
      const Wakeups wakeups;
      EXPECT_TRUE(threads.submit(job));
    }
    done.wait();
  }
}

TEST(Threads, MayGoBeforeTheWakeupsThatWereGatheredForThem) {
  FunctionJob job([](void*, std::uint32_t) {});
  Wakeups wakeups;
  {
    Threads threads("t", one_instance(), 8);
    EXPECT_TRUE(threads.submit(job));
  }
  wakeups.ring();
}

TEST(Threads, AreWokenAllTheSameWhereMoreWakeupsComeTogetherThanAreKept) {
  constexpr std::size_t count = 100;
  std::atomic<std::size_t> ran{0};
  Gate done;
  std::vector<std::unique_ptr<FunctionJob>> jobs;
  Threads threads("t", std::vector<void*>(count, nullptr), 0);  // Ends first: each job waits for the last.
  Wakeups wakeups;
  for (std::size_t i = 0; i < count; ++i) {
    jobs.push_back(std::make_unique<FunctionJob>([&](void*, std::uint32_t) {
      if (++ran == count) done.open();
      done.wait();  // Each thread has one.
    }));
    EXPECT_TRUE(threads.submit(*jobs.back()));
  }
  wakeups.ring();
  done.wait();
}

TEST(Threads, AFullQueueRefusesAndNothingIsLost) {
  std::atomic<int> ran = 0;
  std::vector<std::unique_ptr<FunctionJob>> jobs;
  for (int made = 0; made < 4; ++made)
    jobs.push_back(std::make_unique<FunctionJob>([&](void*, auto) { ++ran; }));
  Blocker blocker;
  {
    Threads threads("t", one_instance(), 2);
    ASSERT_TRUE(threads.submit(blocker.job));
    blocker.began.wait();
    EXPECT_EQ(threads.load({}, {}).running, 1U);
    EXPECT_TRUE(threads.submit(*jobs[0]));
    EXPECT_TRUE(threads.submit(*jobs[1]));
    EXPECT_EQ(threads.load({}, {}).waiting, 2U);
    EXPECT_FALSE(threads.submit(*jobs[2]));
    threads.submit_to(0, *jobs[3]);  // What belongs to a running request is not counted.
    EXPECT_EQ(threads.load({}, {}).waiting, 2U);
    Gate last;
    FunctionJob end([&](void*, auto) { last.open(); });
    EXPECT_TRUE(threads.withdraw(*jobs[1]));
    EXPECT_TRUE(threads.submit(end));  // There is room again.
    blocker.release.open();
    last.wait();
  }
  EXPECT_EQ(ran, 2);
}

TEST(Threads, WithoutAQueueEachFreeThreadStillTakesAJob) {
  Threads threads("t", {nullptr, nullptr}, 0);
  Blocker one;
  Blocker two;
  FunctionJob third([](void*, auto) { ADD_FAILURE() << "was refused"; });
  ASSERT_TRUE(threads.submit(one.job));
  ASSERT_TRUE(threads.submit(two.job));
  EXPECT_FALSE(threads.submit(third));
  one.began.wait();
  two.began.wait();
  EXPECT_NE(one.thread, two.thread);
  EXPECT_EQ(threads.load({}, {}).running, 2U);
  one.release.open();
  two.release.open();
}

TEST(Threads, WhatFollowsARequestRunsInOrderAndBeforeNewWork) {
  std::vector<int> order;
  Gate last;
  Blocker blocker;
  std::vector<std::unique_ptr<FunctionJob>> jobs;
  for (int number = 0; number < 6; ++number) {
    jobs.push_back(std::make_unique<FunctionJob>([&order, &last, number](void*, auto) {
      order.push_back(number);
      if (number == 5) last.open();
    }));
  }
  Threads threads("t", one_instance(), 8);
  ASSERT_TRUE(threads.submit(blocker.job));
  blocker.began.wait();
  EXPECT_TRUE(threads.submit(*jobs[3]));
  threads.submit_to(0, *jobs[0]);
  EXPECT_TRUE(threads.submit(*jobs[4]));
  threads.submit_to(0, *jobs[1]);
  threads.submit_to(0, *jobs[2]);
  EXPECT_TRUE(threads.submit(*jobs[5]));
  blocker.release.open();
  last.wait();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST(Threads, AJobCanBeWithdrawnFromAnyPlaceUntilItRuns) {
  std::vector<int> order;
  Gate last;
  Blocker blocker;
  std::vector<std::unique_ptr<FunctionJob>> jobs;
  for (int number = 0; number < 6; ++number) {
    jobs.push_back(std::make_unique<FunctionJob>([&order, number](void*, auto) { order.push_back(number); }));
  }
  FunctionJob end([&](void*, auto) { last.open(); });
  Threads threads("t", one_instance(), 8);
  EXPECT_FALSE(threads.withdraw(*jobs[0]));  // Never submitted.
  ASSERT_TRUE(threads.submit(blocker.job));
  blocker.began.wait();
  EXPECT_FALSE(threads.withdraw(blocker.job));  // It runs.
  for (const auto& job : jobs) EXPECT_TRUE(threads.submit(*job));
  for (const std::size_t gone : {2U, 0U, 5U}) {  // Middle, first, last.
    EXPECT_TRUE(threads.withdraw(*jobs[gone]));
    EXPECT_FALSE(threads.withdraw(*jobs[gone]));
  }
  EXPECT_EQ(threads.load({}, {}).waiting, 3U);
  EXPECT_TRUE(threads.withdraw(*jobs[1]));
  threads.submit_to(0, *jobs[1]);  // Pinned ones as well.
  threads.submit_to(0, *jobs[2]);
  EXPECT_TRUE(threads.withdraw(*jobs[1]));
  EXPECT_TRUE(threads.submit(end));
  blocker.release.open();
  last.wait();
  EXPECT_EQ(order, (std::vector<int>{2, 3, 4}));
}

TEST(Threads, AJobMayDestroyItselfOrSubmitItselfAgain) {
  struct Again final : Job {
    Again(Threads& to, Gate& gate) : threads(to), done(gate) {}
    void run(void*, std::uint32_t thread) override {
      if (++rounds < 1000) return threads.submit_to(thread, *this);
      Gate& gate = done;
      delete this;
      gate.open();
    }
    Threads& threads;
    Gate& done;
    int rounds = 0;
  };
  Gate done;
  Threads threads("t", one_instance(), 1);
  ASSERT_TRUE(threads.submit(*new Again(threads, done)));
  done.wait();
}

/// What load() says at a time after now.
std::size_t lost_after(const Threads& threads, std::chrono::seconds time) {
  return threads.load(base::Clock::now() + time, std::chrono::seconds(2)).lost;
}

TEST(Threads, OneThatDoesNotComeBackFromADisownedJobIsLostUntilItDoes) {
  Blocker one;
  Blocker two;
  Gate ended;
  FunctionJob last([&](void*, auto) { ended.open(); });
  Threads threads("t", {nullptr, nullptr}, 4);
  ASSERT_TRUE(threads.submit(one.job));
  ASSERT_TRUE(threads.submit(two.job));
  one.began.wait();
  two.began.wait();
  EXPECT_EQ(lost_after(threads, std::chrono::hours(1)), 0U) << "somebody waits for both";
  EXPECT_FALSE(threads.withdraw(one.job));
  EXPECT_EQ(lost_after(threads, std::chrono::seconds(1)), 0U) << "it may still look whether it is cancelled";
  EXPECT_EQ(lost_after(threads, std::chrono::seconds(3)), 1U);
  EXPECT_EQ(threads.load(base::Clock::now() + std::chrono::hours(1), std::nullopt).lost, 0U);
  EXPECT_FALSE(threads.withdraw(one.job));
  EXPECT_EQ(lost_after(threads, std::chrono::seconds(3)), 1U);
  one.release.open();
  threads.submit_to(one.thread, last);
  ended.wait();
  EXPECT_EQ(lost_after(threads, std::chrono::hours(1)), 0U);
  two.release.open();
}

TEST(Threads, AJobThatIsDisownedBeforeItRunsLosesItsThreadToo) {
  Blocker first;
  Blocker second;
  Threads threads("t", one_instance(), 4);
  ASSERT_TRUE(threads.submit(first.job));
  first.began.wait();
  threads.submit_to(0, second.job);
  threads.disown(second.job);
  EXPECT_EQ(lost_after(threads, std::chrono::hours(1)), 0U);
  first.release.open();
  second.began.wait();
  EXPECT_EQ(lost_after(threads, std::chrono::hours(1)), 1U);
  second.release.open();
}

TEST(Threads, AJobThatRanBeforeAndIsDisownedLosesNobody) {
  Blocker running;
  Gate ended;
  FunctionJob done([&](void*, auto) { ended.open(); });
  Threads threads("t", one_instance(), 4);
  ASSERT_TRUE(threads.submit(done));
  ended.wait();
  ASSERT_TRUE(threads.submit(running.job));
  running.began.wait();
  EXPECT_FALSE(threads.withdraw(done));
  EXPECT_EQ(lost_after(threads, std::chrono::hours(1)), 0U);
  running.release.open();
}

TEST(Threads, MeasureHowLongAJobWaitedAndRan) {
  struct Measured final : Job {
    void run(void*, std::uint32_t) override {
      took = times();
      done.open();
    }
    Times took;
    Gate done;
  };
  Blocker before;
  Measured job;
  {
    Threads threads("t", one_instance(), 4);
    ASSERT_TRUE(threads.submit(before.job));
    before.began.wait();
    ASSERT_TRUE(threads.submit(job));
    const base::TimePoint queued = base::Clock::now();
    while (base::Clock::now() == queued) {
    }
    before.release.open();
    job.done.wait();
  }
  EXPECT_GT(job.took.waited.count(), 0);
  EXPECT_GE(job.took.ran.count(), 0);
  EXPECT_LT(job.took.waited, std::chrono::minutes(10));
}

TEST(Threads, OnceStoppedRunNothingMore) {
  Blocker blocker;
  FunctionJob never([](void*, auto) { ADD_FAILURE() << "ran after the end"; });
  Gate gone;
  {
    const auto around = [&gone](const std::function<void()>& work) {
      work();
      gone.open();
    };
    Threads threads("t", one_instance(), 4, around);
    ASSERT_TRUE(threads.submit(blocker.job));
    blocker.began.wait();
    ASSERT_TRUE(threads.submit(never));
    EXPECT_TRUE(threads.abandon(std::chrono::milliseconds(0)));
    blocker.release.open();
    gone.wait();
    EXPECT_TRUE(threads.withdraw(never));  // It still waits.
  }
}

TEST(Threads, EndingThemWaitsForWhatRuns) {
  Blocker blocker;
  std::atomic<bool> returned = false;
  FunctionJob job([&](void*, auto) {
    blocker.began.open();
    blocker.release.wait();
    returned = true;
  });
  std::thread helper;
  {
    Threads threads("t", one_instance(), 4);
    ASSERT_TRUE(threads.submit(job));
    blocker.began.wait();
    helper = std::thread([&] { blocker.release.open(); });
  }
  EXPECT_TRUE(returned);
  helper.join();
}

TEST(Threads, AbandoningThemWaitsForThoseThatReturn) {
  Blocker blocker;
  Threads threads("t", {nullptr, nullptr}, 4);
  ASSERT_TRUE(threads.submit(blocker.job));
  blocker.began.wait();
  std::thread helper([&] { blocker.release.open(); });
  EXPECT_FALSE(threads.abandon(std::chrono::minutes(1)));
  helper.join();
}

TEST(Threads, AbandoningThemLeavesThoseThatHang) {
  Blocker blocker;
  Gate gone;
  {
    const auto around = [&gone](const std::function<void()>& work) {
      work();
      gone.open();
    };
    Threads threads("t", one_instance(), 4, around);
    ASSERT_TRUE(threads.submit(blocker.job));
    blocker.began.wait();
    EXPECT_TRUE(threads.abandon(std::chrono::milliseconds(1)));
  }
  blocker.release.open();  // It returns into what outlived the pool.
  gone.wait();
}

TEST(Threads, HaveNamesAndTakeNoSignalsButFaults) {
  std::array<char, 16> name{};
  sigset_t mask;
  Gate done;
  FunctionJob job([&](void*, auto) {
    pthread_getname_np(pthread_self(), name.data(), name.size());
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    done.open();
  });
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  std::vector<void*> instances(12, nullptr);
  Threads threads("a-very-long-plugin-name", instances, 4);
  threads.submit_to(11, job);
  done.wait();
  EXPECT_STREQ(name.data(), "a-very-long-/11");
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, SIGPIPE})
    EXPECT_EQ(sigismember(&mask, signal), 1);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    EXPECT_EQ(sigismember(&mask, signal), 0);
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

TEST(Threads, TheWrapperStandsAroundAllWork) {
  static thread_local bool within = false;
  const auto around = [](const std::function<void()>& work) {
    within = true;
    work();
  };
  bool seen = false;
  Gate done;
  FunctionJob job([&](void*, auto) {
    seen = within;
    done.open();
  });
  Threads threads("t", one_instance(), 1, around);
  ASSERT_TRUE(threads.submit(job));
  done.wait();
  EXPECT_TRUE(seen);
}

/// Many submitters, many threads, pinned and withdrawn jobs: each runs once or is withdrawn, never both,
/// never concurrently with another of its instance.
TEST(Threads, UnderLoadEachJobRunsOnceOrIsWithdrawn) {
  constexpr std::uint32_t thread_count = 3;
  constexpr int submitters = 3;
  constexpr int rounds = 4000;
  const unsigned seed = std::random_device()();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::array<std::atomic<int>, thread_count> inside{};
  std::atomic<long> ran = 0;
  std::atomic<long> withdrawn = 0;
  std::atomic<long> refused = 0;

  struct Counted final : Job {
    explicit Counted(std::atomic<long>& counter) : count(counter) {}
    void run(void* instance, std::uint32_t) override {
      auto& busy = *static_cast<std::atomic<int>*>(instance);
      EXPECT_EQ(busy.fetch_add(1), 0);
      busy.fetch_sub(1);
      count.fetch_add(1);
      done.store(true, std::memory_order_release);
    }
    std::atomic<long>& count;
    std::atomic<bool> done = false;
  };

  Threads threads("t", {&inside[0], &inside[1], &inside[2]}, 16);
  std::vector<std::thread> all;
  for (int number = 0; number < submitters; ++number) {
    all.emplace_back([&, number] {
      std::mt19937 random(seed + static_cast<unsigned>(number));
      for (int round = 0; round < rounds; ++round) {
        Counted job(ran);
        if (random() % 3 == 0) {
          threads.submit_to(static_cast<std::uint32_t>(random() % thread_count), job);
        } else if (!threads.submit(job)) {
          refused.fetch_add(1);
          continue;
        }
        if (random() % 2 == 0 && threads.withdraw(job)) {
          withdrawn.fetch_add(1);
          EXPECT_FALSE(job.done.load());
          continue;
        }
        while (!job.done.load(std::memory_order_acquire)) std::this_thread::yield();
      }
    });
  }
  for (std::thread& each : all) each.join();
  EXPECT_EQ(ran + withdrawn + refused, static_cast<long>(submitters) * rounds);
  EXPECT_EQ(threads.load({}, {}).waiting, 0U);
}

}  // namespace
}  // namespace trivet::plugin
