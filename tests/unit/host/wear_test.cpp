#include "runtime/host/wear.hpp"

#include <gtest/gtest.h>

namespace trivet::host {
namespace {

struct WearCase {
  const char* name;
  std::uint64_t max_requests;
  std::optional<std::uint64_t> max_memory;
  std::uint32_t number;
  std::uint64_t requests;
  std::optional<std::uint64_t> memory;
  std::uint64_t lost;
  const char* expected;
};

const WearCase cases[] = {
    {"NothingIsBounded", 0, {}, 0, 1'000'000'000, 1'000'000'000, 0, ""},
    {"OneBelowItsRequests", 3200, {}, 0, 3199, {}, 0, ""},
    {"AtItsRequests", 3200, {}, 0, 3200, {}, 0, "it served max_requests"},
    {"TheNextWorkerServesSomeMore", 3200, {}, 1, 3299, {}, 0, ""},
    {"TheNextWorkerServesSomeMoreAndNoMore", 3200, {}, 1, 3300, {}, 0, "it served max_requests"},
    {"TheEighthServesAQuarterMoreAtMost", 3200, {}, 7, 3900, {}, 0, "it served max_requests"},
    {"TheNinthIsLikeTheFirst", 3200, {}, 8, 3200, {}, 0, "it served max_requests"},
    {"AFewRequestsAreNotStaggered", 5, {}, 7, 5, {}, 0, "it served max_requests"},
    {"AtItsMemory", 0, 1000, 0, 0, 1000, 0, ""},
    {"AboveItsMemory", 0, 1000, 0, 0, 1001, 0, "it is larger than max_memory"},
    {"ItsMemoryIsNotKnown", 0, 1000, 0, 0, {}, 0, ""},
    {"ItHasLostThreads", 0, {}, 0, 0, {}, 2, "2 plugin threads did not come back"},
};

class Wear : public ::testing::TestWithParam<WearCase> {};

TEST_P(Wear, IsToldByItsReason) {
  const WearCase& each = GetParam();
  config::Server server;
  server.max_requests = each.max_requests;
  server.max_memory = each.max_memory;
  process::WorkerSlot slot;
  process::set(slot.counters.requests[process::WorkerCounters::authorizer], each.requests / 2);
  process::set(slot.counters.requests[process::WorkerCounters::responder], each.requests - each.requests / 2);
  process::set(slot.threads_lost, each.lost);
  EXPECT_EQ(wear_of(server, each.number, slot, each.memory), each.expected);
}

INSTANTIATE_TEST_SUITE_P(Table, Wear, ::testing::ValuesIn(cases),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace trivet::host
