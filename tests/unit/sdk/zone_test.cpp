#include <gtest/gtest.h>

#include <string>
#include <trivet/plugin.hpp>
#include <trivet/testing.hpp>

namespace trivet {
namespace {

/// What a test does with the zone of a plugin.
struct Keeper {
  Zone zone;
  explicit Keeper(Settings& settings) : zone(settings, "zone") { last = this; }
  void handle(Request& /*request*/, Response& /*out*/) {}
  static inline Keeper* last = nullptr;
};
constexpr trivet_plugin keeper = sdk::entry<Keeper>("keeper", "1");

class Zones : public testing::Test {
 protected:
  Zones() {
    host_.zone("limits", memory_).set("zone", "limits");
    EXPECT_TRUE(host_.start());
  }
  [[nodiscard]] Zone& zone() const { return Keeper::last->zone; }

  FakeZone memory_{FakeZone::Size{3, 16, 24, 2}};
  FakeHost host_{keeper};
};

TEST_F(Zones, GiveBackWhatWasPut) {
  EXPECT_EQ(zone().get("k"), std::nullopt);
  EXPECT_TRUE(zone().put("k", "value"));
  ASSERT_TRUE(zone().get("k"));
  EXPECT_EQ(zone().get("k")->value, "value");
  EXPECT_TRUE(zone().remove("k"));
  EXPECT_FALSE(zone().remove("k"));
  EXPECT_EQ(zone().key_bytes(), 16U);
  EXPECT_EQ(zone().value_bytes(), 24U);
  EXPECT_EQ(zone().entries(), 3U);
}

TEST_F(Zones, ForgetWhenTheClockOfTheTestSaysSo) {
  const auto begin = zone().now();
  EXPECT_TRUE(zone().put("k", "v", std::chrono::seconds(5)));
  memory_.advance(std::chrono::milliseconds(4999));
  EXPECT_TRUE(zone().get("k"));
  memory_.advance(std::chrono::milliseconds(1));
  EXPECT_FALSE(zone().get("k"));
  EXPECT_EQ(zone().now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(memory_.entries(), 0U);
}

TEST_F(Zones, PutOnlyOverTheVersionThatWasSeen) {
  EXPECT_FALSE(zone().put_if(5, "k", "v"));
  EXPECT_TRUE(zone().put_if(0, "k", "v"));
  EXPECT_FALSE(zone().put_if(0, "k", "w"));
  const std::uint64_t seen = zone().get("k")->version;
  EXPECT_TRUE(zone().put_if(seen, "k", "w"));
  EXPECT_FALSE(zone().put_if(seen, "k", "x"));
  EXPECT_EQ(zone().get("k")->value, "w");
}

TEST_F(Zones, AddAndKeepTheTime) {
  EXPECT_EQ(zone().add("n", 2, std::chrono::seconds(5)), 2);
  memory_.advance(std::chrono::seconds(4));
  EXPECT_EQ(zone().add("n", 3, std::chrono::seconds(5)), 5);
  memory_.advance(std::chrono::seconds(1));
  EXPECT_EQ(zone().add("n", 1), 1);
  EXPECT_TRUE(zone().put("t", "text"));
  EXPECT_THROW(zone().add("t", 1), Error);
}

TEST_F(Zones, SayWhenThereIsNoRoom) {
  for (const char* key : {"a", "b", "c"}) EXPECT_TRUE(zone().put(key, "v", for_good, WhenFull::refuse));
  EXPECT_FALSE(zone().put("d", "v", for_good, WhenFull::refuse));
  EXPECT_EQ(zone().try_add("d", 1, for_good, WhenFull::refuse), std::nullopt);
  EXPECT_TRUE(zone().get("a"));
  EXPECT_TRUE(zone().put("d", "v"));
  EXPECT_FALSE(zone().get("b")) << "it was used least lately";
  EXPECT_TRUE(zone().get("a"));
}

TEST_F(Zones, ThrowAtWhatIsTooLong) {
  EXPECT_THROW(zone().put(std::string(17, 'k'), "v"), Error);
  EXPECT_THROW(zone().put("k", std::string(25, 'v')), Error);
  EXPECT_THROW(static_cast<void>(zone().get(std::string(17, 'k'))), Error);
}

TEST_F(Zones, UpdateAsOneStepWhoeverIsInBetween) {
  const auto change = [](std::optional<std::string_view> value) -> std::optional<Zone::Change> {
    return Zone::Change{std::string(value.value_or("")) + "x", std::chrono::seconds(9)};
  };
  EXPECT_TRUE(zone().update("k", change));
  int calls = 0;
  EXPECT_TRUE(zone().update("k", [&](std::optional<std::string_view> value) {
    const std::optional<Zone::Change> wanted = change(value);
    if (++calls == 1) {
      EXPECT_TRUE(zone().put("k", "other"));
    }
    return wanted;
  }));
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(zone().get("k")->value, "otherx");
  EXPECT_TRUE(
      zone().update("k", [](std::optional<std::string_view>) { return std::optional<Zone::Change>(); }));
  EXPECT_EQ(zone().get("k")->value, "otherx");
}

TEST_F(Zones, CountForEverybody) {
  const Counter counter = zone().counter("hits");
  EXPECT_EQ(counter.add(), 1);
  EXPECT_EQ(zone().counter("hits").add(5), 6);
  EXPECT_EQ(counter.get(), 6);
  static_cast<void>(zone().counter("more"));
  EXPECT_THROW(static_cast<void>(zone().counter("one more")), Error);
}

TEST_F(Zones, AreOneForSeveralHosts) {
  EXPECT_TRUE(zone().put("k", "of the first"));
  FakeHost second(keeper);
  second.zone("limits", memory_).set("zone", "limits");
  ASSERT_TRUE(second.start());
  EXPECT_EQ(zone().get("k")->value, "of the first");
}

TEST(ZonesThatAreNotThere, AreAMistakeOfTheOperator) {
  FakeHost host(keeper);
  host.set("zone", "limits");
  EXPECT_FALSE(host.start());
  EXPECT_EQ(host.errors(), std::vector<std::string>{"zone: no zone \"limits\" is configured"});
  FakeHost other(keeper);
  EXPECT_FALSE(other.start());
  EXPECT_EQ(other.errors(), std::vector<std::string>{"zone: is missing"});
}

TEST(ZonesOnAnOldHost, AreMissedInWords) {
  trivet_host old = sdk::fake_table;
  old.size = offsetof(trivet_host, zones);
  old.abi_minor = 1;
  sdk::FakeSettings settings;
  settings.leaves["zone"] = std::string("limits");
  void* self = nullptr;
  EXPECT_EQ(keeper.create(&old, reinterpret_cast<const trivet_settings*>(&settings), &self), TRIVET_E_FAILED);
  EXPECT_EQ(settings.errors,
            std::vector<std::string>{
                "zone: needs shared zones, which this host is too old for: its plugin ABI is 0.1, "
                "not 0.2 or later"});
}

}  // namespace
}  // namespace trivet
