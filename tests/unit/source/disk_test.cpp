#include "runtime/source/disk.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "tests/unit/source/by_hand.hpp"

namespace trivet::source {
namespace {

using testing::LoopByHand;
using testing::WorkersByHand;

/// Writes its name where the test sees in which order things happen.
class Thing final : public Disk::Work {
 public:
  Thing(std::string name, std::string& record) : name_(std::move(name)), record_(record) {}
  bool begin(Disk::Share& share, base::Loop& loop) { return submit(share, loop, Kind::first); }
  bool follow(Disk::Share& share, base::Loop& loop) { return submit(share, loop, Kind::following); }
  bool take_back() { return withdraw(); }
  std::function<void()> when_back;

 private:
  void on_disk(std::span<std::uint8_t> buffer) override {
    record_ += name_;
    buffer[0] = static_cast<std::uint8_t>(name_[0]);
    buffer[Disk::buffer_size - 1] = 1;
  }
  void on_back(std::span<const std::uint8_t> buffer) override {
    EXPECT_EQ(buffer[0], static_cast<std::uint8_t>(name_[0]));
    if (when_back) when_back();
  }
  std::string name_;
  std::string& record_;
};

class DiskTest : public ::testing::Test {
 protected:
  void make(std::size_t at_once, std::size_t queue) {
    auto workers = std::make_unique<WorkersByHand>();
    workers_ = workers.get();
    disk_ = std::make_unique<Disk>(std::move(workers), at_once, queue);
  }
  void run_all() {
    while (workers_->run_one() || loop_.turn()) {
    }
  }

  LoopByHand loop_;
  std::string record_;
  std::unique_ptr<Disk> disk_;
  WorkersByHand* workers_ = nullptr;
};

TEST_F(DiskTest, DoesThingsInTheOrderTheyCame) {
  make(2, 100);
  Disk::Share share(*disk_);
  std::vector<std::unique_ptr<Thing>> things;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    things.push_back(std::make_unique<Thing>(name, record_));
    ASSERT_TRUE(things.back()->begin(share, loop_));
    EXPECT_TRUE(things.back()->is_out());
  }
  EXPECT_EQ(workers_->waiting.size(), 2U);
  run_all();
  EXPECT_EQ(record_, "abcde");
  for (const auto& each : things) EXPECT_FALSE(each->is_out());
}

TEST_F(DiskTest, GivesThreadsNoMoreThanTheyAreBeforeTheLoopHasLooked) {
  make(2, 100);
  Disk::Share share(*disk_);
  Thing a("a", record_);
  Thing b("b", record_);
  Thing c("c", record_);
  for (Thing* each : {&a, &b, &c}) ASSERT_TRUE(each->begin(share, loop_));
  while (workers_->run_one()) {
  }
  EXPECT_EQ(record_, "ab");  // Both buffers are full.
  loop_.turn();
  EXPECT_EQ(workers_->waiting.size(), 1U);
  run_all();
  EXPECT_EQ(record_, "abc");
}

TEST_F(DiskTest, RefusesWhatBeginsWhenTheQueueIsFull) {
  make(1, 2);
  Disk::Share share(*disk_);
  Disk::Share other(*disk_);
  Thing a("a", record_);
  Thing b("b", record_);
  Thing c("c", record_);
  Thing d("d", record_);
  EXPECT_TRUE(a.begin(share, loop_));
  EXPECT_TRUE(b.begin(share, loop_));
  EXPECT_TRUE(c.begin(other, loop_));
  EXPECT_FALSE(d.begin(share, loop_));  // The queue is one for all.
  EXPECT_FALSE(d.begin(other, loop_));
  EXPECT_FALSE(d.is_out());
  EXPECT_TRUE(d.follow(share, loop_));  // What has begun is not refused.
  run_all();
  EXPECT_TRUE(a.begin(share, loop_));
  run_all();
  EXPECT_EQ(record_.size(), 5U);
}

TEST_F(DiskTest, KeepsHalfOfTheThreadsForOthers) {
  make(4, 100);
  Disk::Share hung(*disk_);
  Disk::Share well(*disk_);
  std::vector<std::unique_ptr<Thing>> things;
  for (int i = 0; i < 10; ++i) {
    things.push_back(std::make_unique<Thing>("h", record_));
    ASSERT_TRUE(things.back()->begin(hung, loop_));
  }
  EXPECT_EQ(workers_->waiting.size(), 2U);
  workers_->waiting.clear();  // They never come back.
  for (int i = 0; i < 10; ++i) {
    things.push_back(std::make_unique<Thing>("w", record_));
    ASSERT_TRUE(things.back()->begin(well, loop_));
  }
  run_all();
  EXPECT_EQ(record_, "wwwwwwwwww");
}

TEST_F(DiskTest, GivesSharesTurns) {
  make(1, 100);
  Disk::Share first(*disk_);
  Disk::Share second(*disk_);
  std::vector<std::unique_ptr<Thing>> things;
  const auto add = [&](const char* name, Disk::Share& share) {
    things.push_back(std::make_unique<Thing>(name, record_));
    ASSERT_TRUE(things.back()->begin(share, loop_));
  };
  for (int i = 0; i < 4; ++i) add("a", first);
  for (int i = 0; i < 2; ++i) add("b", second);
  run_all();
  EXPECT_EQ(record_, "aababa");
}

TEST_F(DiskTest, ForgetsWhatIsTakenBack) {
  make(1, 2);
  Disk::Share share(*disk_);
  Thing a("a", record_);
  Thing b("b", record_);
  Thing c("c", record_);
  Thing d("d", record_);
  for (Thing* each : {&a, &b, &c}) ASSERT_TRUE(each->begin(share, loop_));
  EXPECT_TRUE(b.take_back());  // It waited here.
  EXPECT_FALSE(b.is_out());
  EXPECT_TRUE(d.begin(share, loop_));  // There is a place again.
  EXPECT_TRUE(a.take_back());          // A thread was to take it.
  EXPECT_EQ(workers_->waiting.size(), 1U);
  run_all();
  EXPECT_EQ(record_, "cd");
}

TEST_F(DiskTest, CannotTakeBackWhatRuns) {
  make(1, 2);
  Disk::Share share(*disk_);
  Thing a("a", record_);
  ASSERT_TRUE(a.begin(share, loop_));
  workers_->run_one();
  EXPECT_FALSE(a.take_back());
  EXPECT_TRUE(a.is_out());
  loop_.turn();
  EXPECT_FALSE(a.is_out());
}

TEST_F(DiskTest, MayBeAskedAgainFromWithin) {
  make(1, 2);
  Disk::Share share(*disk_);
  Thing a("a", record_);
  Thing b("b", record_);
  int left = 3;
  a.when_back = [&] {
    if (--left > 0) {
      ASSERT_TRUE(a.follow(share, loop_));
    }
  };
  ASSERT_TRUE(a.begin(share, loop_));
  ASSERT_TRUE(b.begin(share, loop_));
  run_all();
  EXPECT_EQ(record_, "abaa");
}

TEST_F(DiskTest, MayLoseItsWorkFromWithin) {
  make(1, 2);
  Disk::Share share(*disk_);
  auto a = std::make_unique<Thing>("a", record_);
  Thing b("b", record_);
  a->when_back = [&] { a.reset(); };
  ASSERT_TRUE(a->begin(share, loop_));
  ASSERT_TRUE(b.begin(share, loop_));
  run_all();
  EXPECT_EQ(record_, "ab");
}

TEST(DiskWithThreads, ComesBackToTheLoop) {
  class Loop final : public base::Loop {
   public:
    [[nodiscard]] base::TimePoint now() const noexcept override { return {}; }
    base::TimerQueue& timers() noexcept override { return timers_; }
    void post(base::Task& task) noexcept override {
      const std::lock_guard lock(mutex_);
      posted_.push(task);
      some_.notify_one();
    }
    void run_one() {
      base::Task* task = nullptr;
      {
        std::unique_lock lock(mutex_);
        some_.wait(lock, [&] { return (task = posted_.pop()) != nullptr; });
      }
      task->run();
    }

   private:
    std::mutex mutex_;
    std::condition_variable some_;
    base::TaskList posted_;
    base::TimerQueue timers_;
  } loop;
  auto disk = Disk::start(3, 1000);
  Disk::Share share(*disk);
  std::string records[200];  // NOLINT(*-avoid-c-arrays)
  std::vector<std::unique_ptr<Thing>> things;
  for (std::string& record : records) {
    things.push_back(std::make_unique<Thing>("x", record));
    ASSERT_TRUE(things.back()->begin(share, loop));
  }
  for (std::size_t i = 0; i < things.size(); ++i) loop.run_one();
  for (const std::string& record : records) EXPECT_EQ(record, "x");
  EXPECT_FALSE(disk->abandon(std::chrono::seconds(5)));
}

}  // namespace
}  // namespace trivet::source
