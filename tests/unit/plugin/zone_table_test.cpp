#include "runtime/plugin/zone_table.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>

#include "runtime/config/config.hpp"
#include "runtime/plugin/call.hpp"
#include "runtime/plugin/host_table.hpp"
#include "runtime/plugin/settings.hpp"

namespace trivet::plugin {
namespace {

constexpr base::ZoneLayout layout{64 * 1024, 16, 24, 1};
const trivet_zones& zones = *host_table().zones;
constexpr trivet_text broken{nullptr, 3};

class ZoneTable : public testing::Test {
 protected:
  ZoneTable() {
    auto memory = process::Zone::make_memory(layout);
    auto opened = process::Zone::open(std::move(memory).value(), layout);
    all_.emplace("limits", std::move(opened).value());
    config_.name = "it";
    config_.settings["zone"] = {std::string("limits"), {"t.toml", 7, 3}};
    EXPECT_EQ(zones.open(reader_.handle(), text("zone"), text("limits"), &zone_), TRIVET_OK);
  }

  config::Plugin config_;
  process::Zones all_;
  SettingsReader reader_{config_, &all_};
  trivet_zone* zone_ = nullptr;
};

TEST_F(ZoneTable, KnowsWhatAZoneCanTake) {
  trivet_zone_info info{};
  info.size = sizeof info;
  EXPECT_EQ(zones.info(zone_, &info), TRIVET_OK);
  EXPECT_EQ(info.key_bytes, 16U);
  EXPECT_EQ(info.value_bytes, 24U);
  EXPECT_EQ(info.counters, 1U);
  EXPECT_EQ(info.entries, layout.entries());
  info.size = offsetof(trivet_zone_info, entries);
  info.entries = 5;
  EXPECT_EQ(zones.info(zone_, &info), TRIVET_OK);
  EXPECT_EQ(info.entries, 5U) << "no more than the plugin knows";
  info.size = 0;
  EXPECT_EQ(zones.info(zone_, &info), TRIVET_E_ARGUMENT);
}

TEST_F(ZoneTable, ForwardsToTheZone) {
  char value[32] = {};
  std::size_t length = 9;
  std::uint64_t version = 9;
  EXPECT_EQ(zones.get(zone_, text("k"), value, sizeof value, &length, &version), TRIVET_E_ABSENT);
  EXPECT_EQ(length, 0U);
  EXPECT_EQ(version, 0U);
  EXPECT_EQ(zones.put(zone_, text("k"), text("value"), 0, 0, TRIVET_ZONE_EVICT), TRIVET_OK);
  EXPECT_EQ(zones.get(zone_, text("k"), value, sizeof value, &length, &version), TRIVET_OK);
  EXPECT_EQ(std::string(value, length), "value");
  EXPECT_EQ(zones.put(zone_, text("k"), text("other"), 0, version + 1, TRIVET_ZONE_EVICT), TRIVET_E_STATE);
  EXPECT_EQ(zones.put(zone_, text("k"), text(std::string(25, 'v')), 0, TRIVET_ZONE_ANY, TRIVET_ZONE_EVICT),
            TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.remove(zone_, text("k"), version + 1), TRIVET_E_STATE);
  EXPECT_EQ(zones.remove(zone_, text("k"), version), TRIVET_OK);
  EXPECT_EQ(zones.remove(zone_, text("k"), TRIVET_ZONE_ANY), TRIVET_E_ABSENT);
  std::int64_t sum = 0;
  EXPECT_EQ(zones.add(zone_, text("n"), 5, 0, TRIVET_ZONE_EVICT, &sum), TRIVET_OK);
  EXPECT_EQ(zones.add(zone_, text("n"), -7, 0, TRIVET_ZONE_EVICT, &sum), TRIVET_OK);
  EXPECT_EQ(sum, -2);
  EXPECT_GT(zones.now(zone_), 0U);
}

TEST_F(ZoneTable, SaysWhenThereIsNoRoom) {
  trivet_status status = TRIVET_OK;
  const auto put = [&](std::uint64_t n, trivet_zone_full when_full) {
    return zones.put(zone_, text("key" + std::to_string(n)), text("v"), 0, TRIVET_ZONE_ANY, when_full);
  };
  std::uint64_t n = 0;
  for (; status == TRIVET_OK && n <= layout.entries(); ++n) status = put(n, TRIVET_ZONE_REFUSE);
  EXPECT_EQ(status, TRIVET_E_LIMIT);
  EXPECT_EQ(put(n, TRIVET_ZONE_EVICT), TRIVET_OK);
}

TEST_F(ZoneTable, CountsUnderNames) {
  trivet_counter* counter = nullptr;
  ASSERT_EQ(zones.counter(zone_, text("hits"), &counter), TRIVET_OK);
  EXPECT_EQ(zones.counter_add(counter, 3), 3);
  EXPECT_EQ(zones.counter_add(counter, -1), 2);
  trivet_counter* same = nullptr;
  ASSERT_EQ(zones.counter(zone_, text("hits"), &same), TRIVET_OK);
  EXPECT_EQ(zones.counter_add(same, 0), 2);
  EXPECT_EQ(zones.counter(zone_, text("more"), &same), TRIVET_E_LIMIT);
  EXPECT_EQ(zones.counter_add(nullptr, 1), 0);
}

TEST_F(ZoneTable, ChecksWhatAPluginPasses) {
  char value[8];
  std::size_t length = 0;
  std::uint64_t version = 0;
  std::int64_t sum = 0;
  trivet_counter* counter = nullptr;
  trivet_zone_info info{};
  info.size = sizeof info;
  EXPECT_EQ(zones.open(nullptr, {}, text("limits"), &zone_), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.open(reader_.handle(), broken, text("limits"), &zone_), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.open(reader_.handle(), {}, broken, &zone_), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.open(reader_.handle(), {}, text("limits"), nullptr), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.info(nullptr, &info), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.info(zone_, nullptr), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.get(nullptr, text("k"), value, 8, &length, &version), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.get(zone_, broken, value, 8, &length, &version), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.get(zone_, text("k"), nullptr, 8, &length, &version), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.get(zone_, text("k"), value, 8, nullptr, &version), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.get(zone_, text("k"), value, 8, &length, nullptr), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.put(nullptr, text("k"), {}, 0, 0, TRIVET_ZONE_EVICT), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.put(zone_, broken, {}, 0, 0, TRIVET_ZONE_EVICT), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.put(zone_, text("k"), broken, 0, 0, TRIVET_ZONE_EVICT), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.put(zone_, text("k"), {}, 0, 0, 2), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.add(nullptr, text("k"), 1, 0, TRIVET_ZONE_EVICT, &sum), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.add(zone_, broken, 1, 0, TRIVET_ZONE_EVICT, &sum), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.add(zone_, text("k"), 1, 0, 7, &sum), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.add(zone_, text("k"), 1, 0, TRIVET_ZONE_EVICT, nullptr), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.remove(nullptr, text("k"), 0), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.remove(zone_, broken, 0), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.counter(nullptr, text("c"), &counter), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.counter(zone_, broken, &counter), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.counter(zone_, text("c"), nullptr), TRIVET_E_ARGUMENT);
  EXPECT_EQ(zones.get(zone_, text("k"), nullptr, 0, &length, &version), TRIVET_E_ABSENT) << "asks only";
}

TEST_F(ZoneTable, TellsTheOperatorWhereAZoneIsNamedThatIsNotThere) {
  trivet_zone* zone = nullptr;
  EXPECT_EQ(zones.open(reader_.handle(), text("zone"), text("limit"), &zone), TRIVET_E_ABSENT);
  EXPECT_EQ(zone, nullptr);
  ASSERT_EQ(reader_.errors().size(), 1U);
  EXPECT_EQ(reader_.errors()[0],
            "t.toml:7:3: plugin \"it\": setting \"zone\": there is no zone \"limit\": add [zone.limit], or "
            "name one "
            "that is there: limits");
  SettingsReader none(config_);
  EXPECT_EQ(zones.open(none.handle(), text("zone"), text("limits"), &zone), TRIVET_E_ABSENT);
  EXPECT_EQ(none.errors().at(0),
            "t.toml:7:3: plugin \"it\": setting \"zone\": there is no zone \"limits\": add [zone.limits]");
}

}  // namespace
}  // namespace trivet::plugin
