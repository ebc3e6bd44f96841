#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <new>
#include <random>
#include <string>
#include <utility>

#include "runtime/process/zone.hpp"

namespace trivet::process {
namespace {

using Outcome = Zone::Outcome;

/// Two sets: writers meet all the time.
constexpr ZoneLayout layout{ZoneLayout{0, 16, 120, 0}.first_set() + 2 * ZoneLayout{0, 16, 120, 0}.set_size(),
                            16, 120, 0};
constexpr unsigned keys = 12;
constexpr unsigned writers = 3;

/// What writers tell of themselves.
struct Progress {
  std::atomic<std::uint64_t> steps;
  std::atomic<std::uint64_t> counted;
  std::atomic<std::uint64_t> failed;
};

/// A value that shows whether it is whole: every letter of it says how long it is.
std::string value_of(unsigned number) {
  const unsigned size = number % 121;
  return std::string(size, static_cast<char>('a' + size % 26));
}
bool is_whole(std::string_view value) {
  return value.find_first_not_of(static_cast<char>('a' + value.size() % 26)) == std::string_view::npos;
}

/// This process ends in that many microseconds, wherever it is: nothing of it runs any more, as with SIGKILL.
void die_in(unsigned microseconds) {
  ::signal(SIGALRM, SIG_DFL);
  const itimerval once{{0, 0}, {0, static_cast<suseconds_t>(microseconds)}};
  ::setitimer(ITIMER_REAL, &once, nullptr);
}

/// Writes until it dies.
[[noreturn]] void write(FileDescriptor memory, Progress& progress, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  auto opened = Zone::open(std::move(memory), layout);
  if (!opened.ok()) ::_exit(1);
  Zone& zone = *opened.value();
  die_in(static_cast<unsigned>(50 + random() % 1000));
  for (;;) {
    const auto pick = static_cast<unsigned>(random() >> 32U);
    const std::string key = "key" + std::to_string(pick % keys);
    Outcome outcome = Outcome::done;
    if (pick / keys % 8 == 0) {
      outcome = zone.remove(key, 1, Zone::any_version);
    } else {
      outcome = zone.put(key, value_of(pick), 1, 0, Zone::any_version, Zone::WhenFull::evict);
    }
    if (outcome != Outcome::done && outcome != Outcome::absent) progress.failed.fetch_add(1);
    progress.steps.fetch_add(1);
  }
}

/// Adds one again and again until it dies.
[[noreturn]] void count(FileDescriptor memory, Progress& progress, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  auto opened = Zone::open(std::move(memory), layout);
  if (!opened.ok()) ::_exit(1);
  die_in(static_cast<unsigned>(50 + random() % 1000));
  for (std::int64_t sum = 0;;) {
    const Outcome outcome = opened.value()->add("sum", 1, 1, 0, Zone::WhenFull::evict, sum);
    (outcome == Outcome::done ? progress.counted : progress.failed).fetch_add(1);
  }
}

class Killing : public testing::Test {
 protected:
  void SetUp() override {
    void* const at =
        ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(at, MAP_FAILED);
    progress_ = new (at) Progress();
    auto memory = Zone::make_memory(layout);
    ASSERT_TRUE(memory.ok());
    memory_ = std::move(memory).value();
  }
  void TearDown() override {
    while (::wait(nullptr) > 0) {
    }
    ::munmap(progress_, sizeof(Progress));
  }
  template <class Work>
  void start(const Work& work) {
    const pid_t pid = ::fork();
    if (pid == 0) work(std::move(memory_), *progress_, random_());
    ASSERT_GT(pid, 0);
    static_cast<void>(random_());
  }
  static void await_one() {
    int status = 0;
    ASSERT_GT(::wait(&status), 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "exit status " << WEXITSTATUS(status);
  }

  std::mt19937_64 random_{20261127};
  Progress* progress_ = nullptr;
  FileDescriptor memory_;
};

TEST_F(Killing, OfWritersAtAnyMomentLeavesEveryEntryWholeAndHoldsUpNobody) {
  constexpr unsigned kills = 3000;
  // This process only reads, and closes no other descriptor of the memory: see Zone.
  auto opened = Zone::open(FileDescriptor(::dup(memory_.get())), layout);
  ASSERT_TRUE(opened.ok());
  Zone& zone = *opened.value();
  for (unsigned which = 1; which < writers; ++which) start(write);
  for (unsigned n = 0; n < kills; ++n) {
    start(write);
    await_one();
    for (unsigned key = 0; key < keys; ++key) {
      std::string value(128, '?');
      Zone::Entry entry;
      const Outcome outcome = zone.get("key" + std::to_string(key), 1, value, entry);
      ASSERT_TRUE(outcome == Outcome::done || outcome == Outcome::absent);
      if (outcome == Outcome::absent) continue;
      value.resize(entry.size);
      ASSERT_TRUE(is_whole(value)) << "after " << n << " kills: " << value;
    }
  }
  for (unsigned which = 1; which < writers; ++which) await_one();
  EXPECT_GT(progress_->steps, kills);
  EXPECT_EQ(progress_->failed, 0U);
  // Nobody's room is gone for good: every key finds its place.
  for (unsigned key = 0; key < keys; ++key) {
    EXPECT_EQ(zone.put("key" + std::to_string(key), "v", 1, 0, Zone::any_version, Zone::WhenFull::evict),
              Outcome::done);
  }
}

TEST_F(Killing, OfAWriterLosesAtMostWhatItWasAtAndCountsNothingTwice) {
  constexpr unsigned kills = 1000;
  for (unsigned which = 1; which < writers; ++which) start(count);
  for (unsigned n = 0; n < kills; ++n) {
    start(count);
    await_one();
  }
  for (unsigned which = 1; which < writers; ++which) await_one();
  auto zone = Zone::open(std::move(memory_), layout);
  ASSERT_TRUE(zone.ok());
  std::int64_t sum = 0;
  ASSERT_EQ((*zone)->add("sum", 0, 1, 0, Zone::WhenFull::evict, sum), Outcome::done);
  EXPECT_GE(static_cast<std::uint64_t>(sum), progress_->counted.load());
  EXPECT_LE(static_cast<std::uint64_t>(sum), progress_->counted.load() + kills + writers - 1);
  EXPECT_GT(sum, kills);
  EXPECT_EQ(progress_->failed, 0U);
}

}  // namespace
}  // namespace trivet::process
