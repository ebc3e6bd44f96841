#include <gtest/gtest.h>

#include "tests/unit/config/folder.hpp"

namespace trivet::config {
namespace {

TEST(ConfiguredZones, HaveDefaultsForEverything) {
  const Loaded loaded = Loader().load(whole("[zone.sessions]\n"));
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  ASSERT_EQ(loaded.config->zones.size(), 1U);
  const Zone& zone = loaded.config->zones[0];
  EXPECT_EQ(zone.name, "sessions");
  EXPECT_EQ(zone.layout, (base::ZoneLayout{1 << 20, 64, 64, 64}));
  EXPECT_EQ(zone.place.line, 3U);
}

TEST(ConfiguredZones, StandInTheOrderOfTheFile) {
  const Loaded loaded = Loader().load(
      whole("[zone.b]\nsize = \"2MiB\"\nkey_bytes = 16\n[zone.a]\nvalue_bytes = \"128B\"\ncounters = 0\n"));
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  ASSERT_EQ(loaded.config->zones.size(), 2U);
  EXPECT_EQ(loaded.config->zones[0].name, "b");
  EXPECT_EQ(loaded.config->zones[0].layout, (base::ZoneLayout{2 << 20, 16, 64, 64}));
  EXPECT_EQ(loaded.config->zones[1].name, "a");
  EXPECT_EQ(loaded.config->zones[1].layout, (base::ZoneLayout{1 << 20, 64, 128, 0}));
}

TEST(ConfiguredZones, AreNoMoreThanOneMessageCanCarry) {
  std::string text;
  for (std::size_t i = 0; i < most_zones; ++i) text += "[zone.z" + std::to_string(i) + "]\n";
  EXPECT_TRUE(Loader().load(whole(text)).config);
  const Loaded loaded = Loader().load(whole(text + "[zone.more]\n"));
  EXPECT_FALSE(loaded.config);
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_EQ(loaded.diagnostics[0].message, "more than 64 zones");
}

TEST(ConfiguredZones, KnowTheSmallestSizeThatHoldsAnything) {
  base::ZoneLayout layout{0, 64, 64, 64};
  layout.size = layout.least_size();
  EXPECT_EQ(layout.entries(), 12U);
  --layout.size;
  EXPECT_EQ(layout.entries(), 0U);
  layout.size = 0;
  EXPECT_EQ(layout.entries(), 0U);
}

}  // namespace
}  // namespace trivet::config
