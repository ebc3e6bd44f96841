#include "runtime/host/share.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace trivet::host {
namespace {

struct Slot {
  std::uint32_t serving;
  std::uint64_t connections;
};

struct ShareCase {
  std::string_view name;
  std::vector<Slot> slots;  ///< The first is its own.
  bool has_more;
};

const ShareCase share_cases[] = {
    {"NothingAlone", {{1, 100}}, false},
    {"NothingWhenAllHaveAsMany", {{1, 50}, {1, 50}, {1, 50}}, false},
    {"OneMoreIsNotWorthTheWay", {{1, 1}, {1, 0}}, false},
    {"TwoMoreAre", {{1, 2}, {1, 0}}, true},
    {"OfManyAnEighthIsTolerated", {{1, 80}, {1, 70}}, false},
    {"MoreThanAnEighthIsNot", {{1, 80}, {1, 60}}, true},
    {"WhoHasLeastCounts", {{1, 30}, {1, 60}, {1, 0}}, true},
    {"AndNotTheAverage", {{1, 18}, {1, 18}, {1, 18}, {1, 10}}, true},
    {"WhatIsEvenStays", {{1, 18}, {1, 16}, {1, 15}, {1, 15}}, false},
    {"OtherGenerationsDoNotCount", {{2, 40}, {1, 0}, {0, 0}}, false},
    {"ARetiringWorkerDoesNotAsk", {{0, 40}, {1, 0}}, false},
};

class Share : public testing::TestWithParam<ShareCase> {};

TEST_P(Share, IsCompared) {
  auto board = process::Board::make(process::most_workers);
  ASSERT_TRUE(board.ok());
  std::uint32_t at = 0;
  for (const Slot& each : GetParam().slots) {
    process::WorkerSlot& slot = board->slot(at++);
    slot.serving = each.serving;
    process::set(slot.counters.connections_open, each.connections);
  }
  EXPECT_EQ(has_more_than_its_share(*board, 0), GetParam().has_more);
}

INSTANTIATE_TEST_SUITE_P(Workers, Share, testing::ValuesIn(share_cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Shares, AreComparedBehindSlotsWhoseWorkersAreGone) {
  auto board = process::Board::make(process::most_workers);
  ASSERT_TRUE(board.ok());
  for (std::uint32_t i = 0; i < 100; ++i) process::set(board->slot(i).counters.connections_accepted, 1);
  board->slot(60).serving = board->slot(100).serving = 7;
  process::set(board->slot(60).counters.connections_open, 10);
  EXPECT_TRUE(has_more_than_its_share(*board, 60));
}

}  // namespace
}  // namespace trivet::host
