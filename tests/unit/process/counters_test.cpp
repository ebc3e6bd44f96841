#include "runtime/process/counters.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>

namespace trivet::process {
namespace {

TEST(WorkerCounters, AreAllZeroBytesAtFirst) {
  const WorkerCounters counters;
  const WorkerCounters zero = {};
  EXPECT_EQ(read(counters.requests[WorkerCounters::filter]), 0U);
  EXPECT_EQ(read(counters.log_lines_lost), 0U);
  // A slot in fresh shared memory is zeroed pages, not a constructed object.
  alignas(64) unsigned char bytes[sizeof zero];
  std::memset(bytes, 0, sizeof bytes);
  EXPECT_EQ(std::memcmp(static_cast<const void*>(&zero), bytes, offsetof(WorkerCounters, log_lines_lost) + 8),
            0);
}

TEST(WorkerCounters, CountUpDownAndTo) {
  WorkerCounters counters;
  add(counters.connections_open);
  add(counters.connections_open, 4);
  subtract(counters.connections_open, 2);
  EXPECT_EQ(read(counters.connections_open), 3U);
  set(counters.log_lines_lost, 17);
  EXPECT_EQ(read(counters.log_lines_lost), 17U);
}

TEST(WorkerCounters, NeverRunBackwardsForAReaderBesideTheWriter) {
  WorkerCounters counters;
  constexpr std::uint64_t total = 200'000;
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < total; ++i) add(counters.bytes_in);
  });
  std::uint64_t seen = 0;
  while (seen < total) {
    const std::uint64_t now = read(counters.bytes_in);
    ASSERT_GE(now, seen);
    seen = now;
  }
  writer.join();
  EXPECT_EQ(read(counters.bytes_in), total);
}

struct StatusCase {
  int status;
  std::size_t expected;
};

class ResponseClass : public testing::TestWithParam<StatusCase> {};

TEST_P(ResponseClass, IsTheFirstDigitOfTheStatus) {
  EXPECT_EQ(response_class(GetParam().status), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Statuses, ResponseClass,
                         testing::Values(StatusCase{200, 2}, StatusCase{304, 3}, StatusCase{404, 4},
                                         StatusCase{599, 5}, StatusCase{100, 1}, StatusCase{0, 0},
                                         StatusCase{99, 0}, StatusCase{600, 0}, StatusCase{-200, 0}));

}  // namespace
}  // namespace trivet::process
