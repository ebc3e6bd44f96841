#include "runtime/config/processors.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <string>

#include "tests/unit/config/folder.hpp"

namespace trivet::config {
namespace {

struct QuotaCase {
  const char* name;
  std::string_view text;
  std::optional<std::uint32_t> expected;
};

class Quota : public testing::TestWithParam<QuotaCase> {};

TEST_P(Quota, AllowsSoManyProcessors) {
  EXPECT_EQ(processors_of_quota(GetParam().text), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Texts, Quota,
                         testing::Values(QuotaCase{"Two", "200000 100000\n", 2},
                                         QuotaCase{"APartCountsAsOne", "150000 100000\n", 2},
                                         QuotaCase{"LessThanOne", "10000 100000\n", 1},
                                         QuotaCase{"NoTimeAtAll", "0 100000\n", 1},
                                         QuotaCase{"More", "99999999999999 100000\n", 1024},
                                         QuotaCase{"NoBound", "max 100000\n", std::nullopt},
                                         QuotaCase{"NoPeriod", "100000\n", std::nullopt},
                                         QuotaCase{"PeriodOfNothing", "100000 0\n", std::nullopt},
                                         QuotaCase{"TooLarge", "999999999999999999999 1\n", std::nullopt},
                                         QuotaCase{"NoFile", "", std::nullopt}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(ControlGroup, IsTheOneOfVersionTwo) {
  EXPECT_EQ(control_group_of("0::/system.slice/trivet.service\n"), "/system.slice/trivet.service");
  EXPECT_EQ(control_group_of("12:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c\n"), "/c");
  EXPECT_EQ(control_group_of("0::/\n"), "/");
  EXPECT_EQ(control_group_of("12:cpu:/a\n"), std::nullopt);
  EXPECT_EQ(control_group_of("10::/a\n"), std::nullopt);
  EXPECT_EQ(control_group_of(""), std::nullopt);
}

TEST(UsableProcessors, AreNoMoreThanThisProcessMayRunOn) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_GE(usable_processors(), 1U);
  EXPECT_LE(usable_processors(), static_cast<std::uint32_t>(CPU_COUNT(&before)));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int each = 0; each < CPU_SETSIZE; ++each) {
    if (!CPU_ISSET(each, &before)) continue;
    CPU_SET(each, &one);
    break;
  }
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(usable_processors(), 1U);
  ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(UsableProcessors, AreTheWorkersOfAFileThatDoesNotSay) {
  const Loader loader;
  const auto processes = [&](std::string_view section, const Overrides& overrides = {}) {
    const Loaded loaded = loader.load(whole(section), overrides);
    return loaded.config ? loaded.config->server.processes : 9999;
  };
  EXPECT_EQ(processes(""), usable_processors());
  EXPECT_EQ(processes("[server]\n"), usable_processors());
  EXPECT_EQ(processes("[server]\nprocesses = 0\n"), 0U);
  EXPECT_EQ(processes("[server]\nprocesses = 7\n"), 7U);
  Overrides overrides;
  overrides.processes = 0;
  EXPECT_EQ(processes("", overrides), 0U);
  overrides.processes = 3;
  EXPECT_EQ(processes("[server]\nprocesses = 7\n", overrides), 3U);
  overrides.spawned = true;
  EXPECT_EQ(processes("", overrides), 0U);
}

}  // namespace
}  // namespace trivet::config
