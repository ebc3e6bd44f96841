#include "runtime/protocol/request_table.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include "tests/unit/protocol/seed.hpp"

namespace trivet::protocol {
namespace {

/// The table never looks behind the pointer: any that differ will do.
RequestInput* input_of(unsigned number) {
  return reinterpret_cast<RequestInput*>(std::uintptr_t{number} * 16 + 16);  // NOLINT
}

void add(RequestTable& table, std::uint16_t id, unsigned number) {
  table.make_room();
  table.insert({input_of(number), id, Role::filter, InputPhase::params});
}

TEST(RequestTable, FindsNothingWhenEmpty) {
  RequestTable table;
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.find(65535), nullptr);
  EXPECT_FALSE(table.erase(1));
}

TEST(RequestTable, C19_HoldsEveryIdThereIs) {
  RequestTable table;
  for (unsigned id = 1; id <= 65535; ++id) add(table, static_cast<std::uint16_t>(id), id);
  EXPECT_EQ(table.size(), 65535U);
  for (unsigned id = 1; id <= 65535; ++id) {
    ASSERT_NE(table.find(static_cast<std::uint16_t>(id)), nullptr);
    ASSERT_EQ(table.find(static_cast<std::uint16_t>(id))->input, input_of(id));
  }
  EXPECT_EQ(table.find(0), nullptr);
  for (unsigned id = 65535; id >= 1; --id) ASSERT_TRUE(table.erase(static_cast<std::uint16_t>(id)));
  EXPECT_EQ(table.size(), 0U);
}

TEST(RequestTable, RoomThatWasMadeOutlastsErasing) {
  RequestTable table;
  for (std::uint16_t id = 1; id <= 16; ++id) add(table, id, id);
  table.make_room();
  for (std::uint16_t id = 1; id <= 16; ++id) EXPECT_TRUE(table.erase(id));
  table.insert({input_of(99), 99, Role::responder, InputPhase::params});
  ASSERT_NE(table.find(99), nullptr);
  EXPECT_EQ(table.find(99)->input, input_of(99));
  EXPECT_EQ(table.size(), 1U);
}

TEST(RequestTable, IsAsNewOnceItIsCleared) {
  for (const std::uint16_t count : std::to_array<std::uint16_t>({1, 2, 100})) {
    RequestTable table;
    for (std::uint16_t id = 1; id <= count; ++id) add(table, id, id);
    table.clear();
    EXPECT_EQ(table.size(), 0U);
    for (std::uint16_t id = 1; id <= count; ++id) {
      EXPECT_EQ(table.find(id), nullptr);
      EXPECT_FALSE(table.erase(id));
    }
    add(table, 7, 8);
    ASSERT_NE(table.find(7), nullptr);
    EXPECT_EQ(table.find(7)->input, input_of(8));
  }
}

TEST(RequestTable, FindsWhereAnIdWasMovedToAfterItWasAskedForLast) {
  for (std::uint16_t first = 1; first < 500; ++first) {
    RequestTable table;
    for (std::uint16_t id = first; id < first + 8; ++id) add(table, id, id);
    for (std::uint16_t gone = first; gone + 1 < first + 8; ++gone) {
      const auto last = static_cast<std::uint16_t>(first + 7);
      ASSERT_EQ(table.find(last)->input, input_of(last));
      ASSERT_TRUE(table.erase(gone));
      ASSERT_EQ(table.find(gone), nullptr);
      ASSERT_EQ(table.find(last)->input, input_of(last));
    }
  }
}

/// Against std::map. Few ids for many collisions with what was just erased, then many.
TEST(RequestTable, BehavesLikeAMapUnderRandomUse) {
  std::mt19937 random(test_seed());
  for (const unsigned range : {3U, 20U, 3000U}) {
    RequestTable table;
    std::map<std::uint16_t, RequestInput*> model;
    for (unsigned step = 0; step < 20000; ++step) {
      const auto id = static_cast<std::uint16_t>(random() % range * 21 + 1);
      // Long stretches that grow and long stretches that shrink.
      const bool grows = (random() % 4 != 0) == (step / 2000 % 2 == 0);
      if (!grows) {
        ASSERT_EQ(table.erase(id), model.erase(id) == 1);
      } else if (!model.contains(id)) {
        add(table, id, step);
        model[id] = input_of(step);
      }
      ASSERT_EQ(table.size(), model.size());
      const auto probe = static_cast<std::uint16_t>(random() % range * 21 + 1);
      const OpenRequest* const found = std::as_const(table).find(probe);
      ASSERT_EQ(table.find(probe), found);
      ASSERT_EQ(found != nullptr, model.contains(probe));
      if (found != nullptr) {
        ASSERT_EQ(found->input, model[probe]);
      }
    }
    for (const auto& [id, input] : model) ASSERT_EQ(table.find(id)->input, input);
  }
}

}  // namespace
}  // namespace trivet::protocol
