#include "runtime/process/statistics.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <utility>

namespace trivet::process {
namespace {

using Workers = StatisticsTotals::Workers;

Statistics make(const Statistics::Shape& shape) {
  auto made = Statistics::make(shape);
  EXPECT_TRUE(made.ok());
  return std::move(made).value();
}

base::Result<Statistics> open(const Statistics& statistics, const Statistics::Shape& expected) {
  return Statistics::open(FileDescriptor(::dup(statistics.descriptor())), expected);
}

/// What a worker is: another process that opened the memory and took a row. It lives until it is let go.
class Worker {
 public:
  Worker(const Statistics& statistics, std::uint32_t row,
         const std::function<void(const Statistics::Row&)>& count) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const auto same = open(statistics, statistics.shape());
      if (!same.ok()) ::_exit(1);
      count(same.value().take(row));
      if (::write(ready[1], "x", 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

TEST(StatisticsMemory, SumsWhatEachWorkerCounts) {
  const Statistics statistics = make({4, 2, 3});
  const Worker one(statistics, 0, [](const Statistics::Row& row) {
    add(row.plugins[1].calls, 5);
    add(row.routes[2].requests, 7);
    add(row.routes[2].verdicts[WorkerCounters::deny], 2);
  });
  const Worker two(statistics, 1, [](const Statistics::Row& row) {
    add(row.plugins[1].calls, 10);
    add(row.plugins[0].running_time, 1'000'000'000'000);
    add(row.routes[2].responses[5], 1);
  });
  const Statistics::Sums sums = statistics.sum();
  ASSERT_EQ(sums.plugins.size(), 2U);
  ASSERT_EQ(sums.routes.size(), 3U);
  EXPECT_EQ(sums.plugins[1].calls, 15U);
  EXPECT_EQ(sums.plugins[0].calls, 0U);
  EXPECT_EQ(sums.plugins[0].running_time, 1'000'000'000'000U);
  EXPECT_EQ(sums.routes[2].requests, 7U);
  EXPECT_EQ(sums.routes[2].verdicts[WorkerCounters::deny], 2U);
  EXPECT_EQ(sums.routes[2].responses[5], 1U);
  EXPECT_EQ(sums.routes[0].requests, 0U);
}

TEST(StatisticsMemory, AWorkersReplacementGoesOnCountingInItsRow) {
  const Statistics statistics = make({2, 1, 1});
  for (int i = 0; i < 3; ++i) {
    const Worker worker(statistics, 0, [](const Statistics::Row& row) {
      add(row.plugins[0].calls);
      add(row.plugins[0].lost);  // Of the moment: of the last one only.
      add(row.plugins[0].waiting, 4);
      add(row.plugins[0].running, 2);
    });
  }
  const Statistics::Sums sums = statistics.sum();
  EXPECT_EQ(sums.plugins[0].calls, 3U);
  EXPECT_EQ(sums.plugins[0].lost, 1U);
  EXPECT_EQ(sums.plugins[0].waiting, 4U);
  EXPECT_EQ(sums.plugins[0].running, 2U);
}

TEST(StatisticsMemory, AfterAWorkersEndNothingOfItIsOfTheMoment) {
  const Statistics statistics = make({2, 1, 1});
  const auto be_stuck = [](const Statistics::Row& row) {
    add(row.plugins[0].calls);
    add(row.plugins[0].lost);
    add(row.plugins[0].running);
    add(row.plugins[0].waiting);
  };
  {
    const Worker ended(statistics, 0, be_stuck);
  }
  const Worker other(statistics, 1, be_stuck);
  statistics.rest(0);
  statistics.rest(2);  // None.
  const PluginTotals sums = statistics.sum().plugins[0];
  EXPECT_EQ(sums.calls, 2U);
  EXPECT_EQ(sums.lost, 1U);
  EXPECT_EQ(sums.running, 1U);
  EXPECT_EQ(sums.waiting, 1U);
}

TEST(StatisticsMemory, ARowBelongsToOneWorkerAsLongAsThatLives) {
  const Statistics statistics = make({2, 1, 0});
  const auto lose_one = [](const Statistics::Row& row) { add(row.plugins[0].lost); };
  const Worker leaving(statistics, 0, lose_one);
  // Taken by its replacement, the row of the first would begin from zero again.
  const Worker replacement(statistics, 0, lose_one);
  EXPECT_EQ(statistics.sum().plugins[0].lost, 2U);
  const Worker one_too_many(statistics, 0, lose_one);
  EXPECT_EQ(statistics.sum().plugins[0].lost, 2U);
}

TEST(StatisticsMemory, CostsNothingBeforeSomebodyCountsAndNothingToRead) {
  constexpr std::uint32_t routes = 10'000;
  const Statistics statistics = make({128, 10, routes});
  const auto used = [&] {
    struct stat about{};
    ::fstat(statistics.descriptor(), &about);
    return static_cast<std::size_t>(about.st_blocks) * 512;
  };
  EXPECT_LE(used(), 4096U);
  static_cast<void>(statistics.sum());
  EXPECT_LE(used(), 4096U);
  const Statistics::Row row = statistics.take(77);
  add(row.routes[0].requests, 3);
  add(row.routes[routes - 1].requests, 4);
  const Statistics::Sums sums = statistics.sum();
  EXPECT_EQ(sums.routes[0].requests, 3U);
  EXPECT_EQ(sums.routes[routes - 1].requests, 4U);
  EXPECT_EQ(sums.routes[routes / 2].requests, 0U);
  EXPECT_LE(used(), 5 * 4096U);
}

TEST(StatisticsMemory, OfAnotherShapeIsRefused) {
  const Statistics statistics = make({2, 3, 4});
  EXPECT_TRUE(open(statistics, {2, 3, 4}));
  EXPECT_TRUE(open(statistics, {9, 3, 4}));
  EXPECT_FALSE(open(statistics, {2, 4, 3}));
  EXPECT_FALSE(open(statistics, {2, 3, 5}));
}

TEST(StatisticsMemory, ThatIsSomethingElseIsRefused) {
  for (const std::string& content :
       {std::string(), std::string(10, 'x'), std::string(4096, 'x'), std::string(4096, '\0')}) {
    FileDescriptor memory(::memfd_create("test", MFD_CLOEXEC));
    ASSERT_EQ(::write(memory.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
    EXPECT_FALSE(Statistics::open(std::move(memory), {1, 0, 0})) << content.size();
  }
  EXPECT_FALSE(Statistics::open(FileDescriptor(), {1, 0, 0}));
}

TEST(StatisticsMemory, CannotBeTakenAwayFromThoseWhoReadIt) {
  const Statistics statistics = make({2, 1, 1});
  EXPECT_NE(::ftruncate(statistics.descriptor(), 0), 0);
  EXPECT_NE(::ftruncate(statistics.descriptor(), 1 << 20), 0);
}

TEST(StatisticsMemory, WithoutPluginsAndRoutesSumsNothing) {
  const Statistics statistics = make({2, 0, 0});
  EXPECT_TRUE(statistics.take(0).plugins.empty());
  EXPECT_TRUE(statistics.sum().routes.empty());
}

TEST(Totals, AddGenerationsByTheNamesOfEach) {
  const Statistics old = make({2, 1, 2});
  const Statistics::Row before = old.take(0);
  add(before.plugins[0].calls, 1);
  add(before.plugins[0].running, 3);
  add(before.routes[0].requests, 10);
  add(before.routes[1].requests, 20);
  const Statistics current = make({2, 2, 1});
  const Statistics::Row now = current.take(0);
  add(now.plugins[1].calls, 2);
  add(now.plugins[1].running, 4);
  add(now.routes[0].requests, 40);

  StatisticsTotals totals;
  totals.add(old, {{"token"}, {"docs", "gone"}}, Workers::ended);
  totals.add(current, {{"hello", "token"}, {"docs"}}, Workers::at_work);
  EXPECT_EQ(totals.plugin("token").calls, 3U);
  EXPECT_EQ(totals.plugin("token").running, 4U) << "nothing runs in workers that ended";
  EXPECT_EQ(totals.plugin("hello").calls, 0U);
  EXPECT_EQ(totals.route("docs").requests, 50U);
  EXPECT_EQ(totals.route("gone").requests, 20U);
  EXPECT_EQ(totals.route("never").requests, 0U);

  totals.keep({{"hello", "token", "new"}, {"docs"}});
  EXPECT_EQ(totals.route("gone").requests, 0U);
  EXPECT_EQ(totals.route("docs").requests, 50U);
  EXPECT_EQ(totals.plugin("token").calls, 3U);
}

TEST(Totals, CloseWhatAWorkerThatEndedHadOpen) {
  WorkerCounters counters;
  add(counters.requests[WorkerCounters::filter], 3);
  add(counters.connections_accepted, 5);
  add(counters.connections_closed, 1);
  add(counters.connections_open, 4);
  add(counters.requests_open, 2);
  WorkerTotals totals;
  add_to(totals, counters, Workers::at_work);
  EXPECT_EQ(totals.connections_open, 4U);
  EXPECT_EQ(totals.connections_closed, 1U);
  EXPECT_EQ(totals.requests_open, 2U);
  add_to(totals, counters, Workers::ended);
  EXPECT_EQ(totals.connections_open, 4U);
  EXPECT_EQ(totals.connections_closed, 6U);
  EXPECT_EQ(totals.connections_accepted, 10U);
  EXPECT_EQ(totals.requests_open, 2U);
  EXPECT_EQ(totals.all_requests(), 6U);
}

}  // namespace
}  // namespace trivet::process
