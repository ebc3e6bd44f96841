#include "runtime/host/zones.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "runtime/log/memory_log.hpp"

namespace trivet::host {
namespace {

config::Zone zone(std::string name, std::uint64_t size = 64 * 1024) {
  return {std::move(name), {size, 16, 24, 4}, {"t.toml", 3, 1}};
}

/// Tells memories apart.
ino_t memory_of(const HeldZones& zones, std::size_t index) {
  struct stat about{};
  EXPECT_EQ(::fstat(zones.at(index)->descriptor.get(), &about), 0);
  return about.st_ino;
}

class ZoneStores : public testing::Test {
 protected:
  HeldZones take(const std::vector<config::Zone>& wanted) {
    auto taken = store_.take(wanted);
    EXPECT_TRUE(taken.ok());
    return std::move(taken).value();
  }

  log::MemoryLog log_;
  ZoneStore store_{log_};
};

TEST_F(ZoneStores, KeepAZoneOverAReloadThatKeepsItsNameAndLayout) {
  const HeldZones before = take({zone("a"), zone("b")});
  const HeldZones after = take({zone("b"), zone("c"), zone("a")});
  ASSERT_EQ(after.size(), 3U);
  EXPECT_EQ(memory_of(after, 0), memory_of(before, 1));
  EXPECT_EQ(memory_of(after, 2), memory_of(before, 0));
  EXPECT_EQ(descriptors_of(after), (std::vector<int>{after[0]->descriptor.get(), after[1]->descriptor.get(),
                                                     after[2]->descriptor.get()}));
  EXPECT_EQ(log_.lines().size(), 3U) << "each is made once";
}

TEST_F(ZoneStores, BeginAnewWithAnotherLayoutAndSaySo) {
  const HeldZones before = take({zone("a")});
  EXPECT_TRUE(log_.contains("a zone is made"));
  const HeldZones after = take({zone("a", 128 * 1024)});
  EXPECT_NE(memory_of(after, 0), memory_of(before, 0));
  EXPECT_TRUE(log_.contains("a zone begins empty: its layout changed"));
  EXPECT_EQ(store_.held().size(), 2U) << "the generation before still has its own";
}

TEST_F(ZoneStores, ForgetAZoneThatNoGenerationHoldsAnyMore) {
  HeldZones first = take({zone("a"), zone("b")});
  const HeldZones second = take({zone("b")});
  EXPECT_EQ(store_.held().size(), 2U);
  const int gone = first[0]->descriptor.get();
  first.clear();
  EXPECT_EQ(store_.held().size(), 1U);
  EXPECT_LT(::fcntl(gone, F_GETFD), 0) << "its memory is freed";
  const HeldZones third = take({zone("a"), zone("b")});
  EXPECT_EQ(memory_of(third, 1), memory_of(second, 0));
}

TEST_F(ZoneStores, AreHandedToTheProgramThatTakesOver) {
  const HeldZones before = take({zone("a"), zone("b.c-d")});
  ZoneStore next(log_);
  HeldZones adopted;
  for (const auto& each : store_.held()) {
    process::FileDescriptor descriptor(::dup(each->descriptor.get()));
    adopted.push_back(next.adopt(ZoneStore::pack(*each), std::move(descriptor)));
    ASSERT_NE(adopted.back(), nullptr);
  }
  const auto after = next.take({zone("b.c-d"), zone("a")});
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(memory_of(after.value(), 0), memory_of(before, 1));
  EXPECT_EQ(memory_of(after.value(), 1), memory_of(before, 0));
}

TEST_F(ZoneStores, AdoptNothingThatAnotherVersionPacked) {
  for (const char* packed :
       {"", "65536", "65536 16 24", "65536 16 24 4", "65536 16 24 4 ", "x 16 24 4 a", "65536 16 24 x a"})
    EXPECT_EQ(store_.adopt(packed, process::FileDescriptor()), nullptr) << packed;
}

TEST(OpenedZones, AreThoseOfTheConfigurationInItsOrder) {
  log::MemoryLog log;
  ZoneStore store(log);
  const std::vector<config::Zone> configured = {zone("b"), zone("a", 128 * 1024)};
  const auto held = store.take(configured);
  ASSERT_TRUE(held.ok());
  std::vector<process::FileDescriptor> descriptors;
  for (const int each : descriptors_of(held.value())) descriptors.emplace_back(::dup(each));
  const auto zones = open_zones(configured, std::move(descriptors));
  ASSERT_TRUE(zones.ok()) << zones.error().message;
  EXPECT_EQ(zones.value().at("a")->layout().size, 128U * 1024);
  EXPECT_EQ(zones.value().at("b")->layout().size, 64U * 1024);
}

TEST(OpenedZones, AreMissedWhenTheyDidNotArrive) {
  const auto zones = open_zones({zone("a")}, {});
  ASSERT_FALSE(zones.ok());
  EXPECT_EQ(zones.error().message, "not every zone arrived: the limit of open descriptors is too low");
  std::vector<process::FileDescriptor> closed(1);
  const auto other = open_zones({zone("a")}, std::move(closed));
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().message,
            "t.toml:3:1: zone \"a\": no memory of a zone was passed: Bad file descriptor");
}

TEST(OpenedZones, NeedNoSupervisor) {
  const auto zones = make_zones({zone("a"), zone("b")});
  ASSERT_TRUE(zones.ok());
  EXPECT_EQ(zones.value().size(), 2U);
}

}  // namespace
}  // namespace trivet::host
