#include "runtime/process/zone.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace trivet::process {
namespace {

using Outcome = Zone::Outcome;
using WhenFull = Zone::WhenFull;

constexpr ZoneLayout small{64 * 1024, 32, 24, 8};
/// As small as can be: every key is in the same set.
constexpr ZoneLayout one_set{ZoneLayout{0, 32, 24, 0}.least_size(), 32, 24, 0};

std::unique_ptr<Zone> make(const ZoneLayout& layout) {
  auto memory = Zone::make_memory(layout);
  EXPECT_TRUE(memory.ok());
  auto zone = Zone::open(std::move(memory).value(), layout);
  EXPECT_TRUE(zone.ok());
  return std::move(zone).value();
}

std::optional<std::string> get(Zone& zone, std::string_view key, Zone::Time now = 1) {
  std::string value(64, '?');
  Zone::Entry entry;
  if (zone.get(key, now, value, entry) != Outcome::done) return std::nullopt;
  value.resize(entry.size);
  return value;
}
std::uint64_t version(Zone& zone, std::string_view key, Zone::Time now = 1) {
  Zone::Entry entry;
  return zone.get(key, now, {}, entry) == Outcome::done ? entry.version : 0;
}
Outcome put(Zone& zone, std::string_view key, std::string_view value, Zone::Time now = 1,
            Zone::Time lifetime = 0, WhenFull when_full = WhenFull::evict) {
  return zone.put(key, value, now, lifetime, Zone::any_version, when_full);
}

TEST(Zones, GiveBackWhatWasPut) {
  const auto zone = make(small);
  EXPECT_EQ(get(*zone, "key"), std::nullopt);
  EXPECT_EQ(put(*zone, "key", "value"), Outcome::done);
  EXPECT_EQ(get(*zone, "key"), "value");
  EXPECT_EQ(put(*zone, "key", ""), Outcome::done);
  EXPECT_EQ(get(*zone, "key"), "");
  EXPECT_EQ(put(*zone, "", std::string("a\0b", 3)), Outcome::done);
  EXPECT_EQ(get(*zone, ""), std::string("a\0b", 3));
  EXPECT_EQ(zone->remove("key", 1, Zone::any_version), Outcome::done);
  EXPECT_EQ(zone->remove("key", 1, Zone::any_version), Outcome::absent);
  EXPECT_EQ(get(*zone, "key"), std::nullopt);
}

TEST(Zones, TellKeysApartThatDifferInTheirLengthOnly) {
  const auto zone = make(one_set);
  for (const std::string& key : {std::string("k"), std::string("k\0", 2), std::string("k\0\0", 3)})
    EXPECT_EQ(put(*zone, key, std::to_string(key.size())), Outcome::done);
  EXPECT_EQ(get(*zone, "k"), "1");
  EXPECT_EQ(get(*zone, std::string("k\0", 2)), "2");
  EXPECT_EQ(get(*zone, std::string("k\0\0", 3)), "3");
}

TEST(Zones, TakeKeysAndValuesUpToTheirBoundAndNoLonger) {
  const auto zone = make(small);
  const std::string key(small.key_bytes, 'k');
  const std::string value(small.value_bytes, 'v');
  EXPECT_EQ(put(*zone, key, value), Outcome::done);
  EXPECT_EQ(get(*zone, key), value);
  EXPECT_EQ(put(*zone, key + "k", value), Outcome::refused);
  EXPECT_EQ(put(*zone, key, value + "v"), Outcome::refused);
  std::int64_t sum = 0;
  Zone::Entry entry;
  EXPECT_EQ(zone->add(key + "k", 1, 1, 0, WhenFull::evict, sum), Outcome::refused);
  EXPECT_EQ(zone->get(key + "k", 1, {}, entry), Outcome::refused);
  EXPECT_EQ(zone->remove(key + "k", 1, Zone::any_version), Outcome::refused);
  EXPECT_EQ(get(*zone, key), value);
}

TEST(Zones, CopyNoMoreThanThereIsRoomFor) {
  const auto zone = make(small);
  EXPECT_EQ(put(*zone, "k", "0123456789abcdef"), Outcome::done);
  std::string room = "..........";
  Zone::Entry entry;
  EXPECT_EQ(zone->get("k", 1, std::span(room).first(9), entry), Outcome::done);
  EXPECT_EQ(room, "012345678.");
  EXPECT_EQ(entry.size, 16U);
}

TEST(Zones, ForgetWhatHasExpired) {
  const auto zone = make(small);
  EXPECT_EQ(put(*zone, "k", "v", 100, 50), Outcome::done);
  EXPECT_EQ(get(*zone, "k", 149), "v");
  EXPECT_EQ(get(*zone, "k", 150), std::nullopt);
  EXPECT_EQ(zone->remove("k", 150, Zone::any_version), Outcome::absent);
  EXPECT_EQ(zone->put("k", "w", 150, 0, 0, WhenFull::evict), Outcome::done);
  EXPECT_EQ(get(*zone, "k", std::numeric_limits<Zone::Time>::max()), "w");
  EXPECT_EQ(put(*zone, "k", "v", 100, std::numeric_limits<Zone::Time>::max()), Outcome::done);
  EXPECT_EQ(get(*zone, "k", 1'000'000), "v");
}

TEST(Zones, ChangeAnEntryOnlyFromTheVersionThatWasSeen) {
  const auto zone = make(small);
  EXPECT_EQ(zone->put("k", "1", 1, 0, 7, WhenFull::evict), Outcome::changed);
  EXPECT_EQ(zone->put("k", "1", 1, 0, 0, WhenFull::evict), Outcome::done);
  EXPECT_EQ(zone->put("k", "2", 1, 0, 0, WhenFull::evict), Outcome::changed);
  const std::uint64_t seen = version(*zone, "k");
  EXPECT_EQ(zone->put("k", "2", 1, 0, seen, WhenFull::evict), Outcome::done);
  EXPECT_EQ(zone->put("k", "3", 1, 0, seen, WhenFull::evict), Outcome::changed);
  EXPECT_EQ(zone->remove("k", 1, seen), Outcome::changed);
  EXPECT_EQ(get(*zone, "k"), "2");
  EXPECT_EQ(zone->remove("k", 1, version(*zone, "k")), Outcome::done);
  // Made anew, it is another entry.
  EXPECT_EQ(put(*zone, "k", "2"), Outcome::done);
  EXPECT_EQ(zone->put("k", "3", 1, 0, seen, WhenFull::evict), Outcome::changed);
}

TEST(Zones, AddToNumbersAndKeepTheirTime) {
  const auto zone = make(small);
  std::int64_t sum = 0;
  EXPECT_EQ(zone->add("n", 5, 100, 50, WhenFull::evict, sum), Outcome::done);
  EXPECT_EQ(sum, 5);
  EXPECT_EQ(zone->add("n", -7, 149, 1000, WhenFull::evict, sum), Outcome::done);
  EXPECT_EQ(sum, -2);
  EXPECT_EQ(zone->add("n", 1, 150, 50, WhenFull::evict, sum), Outcome::done);
  EXPECT_EQ(sum, 1);
  EXPECT_EQ(zone->add("n", std::numeric_limits<std::int64_t>::max(), 150, 0, WhenFull::evict, sum),
            Outcome::done);
  EXPECT_EQ(sum, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(put(*zone, "t", "text"), Outcome::done);
  EXPECT_EQ(zone->add("t", 1, 1, 0, WhenFull::evict, sum), Outcome::refused);
}

TEST(Zones, GiveUpWhatWasUsedLeastLatelyWhenASetIsFull) {
  const auto zone = make(one_set);
  ASSERT_EQ(one_set.entries(), 12U);
  for (unsigned i = 0; i < 12; ++i) EXPECT_EQ(put(*zone, std::to_string(i), "v", 10 + i), Outcome::done);
  EXPECT_EQ(get(*zone, "0", 50), "v");  // So it was used later than "1".
  EXPECT_EQ(put(*zone, "new", "v", 60), Outcome::done);
  EXPECT_EQ(get(*zone, "0", 60), "v");
  EXPECT_EQ(get(*zone, "1", 60), std::nullopt);
}

TEST(Zones, RefuseTheNewWhenNothingIsToBeGivenUp) {
  const auto zone = make(one_set);
  for (unsigned i = 0; i < 12; ++i)
    EXPECT_EQ(put(*zone, std::to_string(i), "v", 10, i == 5 ? 10 : 100, WhenFull::refuse), Outcome::done);
  EXPECT_EQ(put(*zone, "new", "v", 19, 100, WhenFull::refuse), Outcome::full);
  EXPECT_EQ(put(*zone, "3", "w", 19, 100, WhenFull::refuse), Outcome::done) << "it has its place";
  std::int64_t sum = 0;
  EXPECT_EQ(zone->add("new", 1, 19, 100, WhenFull::refuse, sum), Outcome::full);
  EXPECT_EQ(put(*zone, "new", "v", 20, 100, WhenFull::refuse), Outcome::done) << "one has expired";
  EXPECT_EQ(put(*zone, "more", "v", 20, 100, WhenFull::refuse), Outcome::full);
  EXPECT_EQ(zone->remove("3", 20, Zone::any_version), Outcome::done);
  EXPECT_EQ(put(*zone, "more", "v", 20, 100, WhenFull::refuse), Outcome::done);
}

TEST(Zones, CountUnderNames) {
  const auto zone = make(small);
  std::vector<std::atomic<std::int64_t>*> counters;
  for (unsigned i = 0; i < small.counters; ++i) {
    counters.push_back(zone->counter(std::to_string(i)));
    ASSERT_NE(counters.back(), nullptr);
    EXPECT_EQ(*counters.back(), 0);
    *counters.back() += i;
  }
  EXPECT_EQ(zone->counter("one more"), nullptr);
  for (unsigned i = 0; i < small.counters; ++i) EXPECT_EQ(*zone->counter(std::to_string(i)), i);
  EXPECT_EQ(make(one_set)->counter("any"), nullptr);
}

TEST(Zones, ShowOneProcessWhatAnotherWrote) {
  auto memory = Zone::make_memory(small);
  ASSERT_TRUE(memory.ok());
  const pid_t child = ::fork();
  if (child == 0) {
    auto zone = Zone::open(std::move(memory).value(), small);
    if (!zone.ok() || put(**zone, "k", "from the child") != Outcome::done) ::_exit(1);
    *(*zone)->counter("c") += 3;
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  auto zone = Zone::open(std::move(memory).value(), small);
  ASSERT_TRUE(zone.ok());
  EXPECT_EQ(get(**zone, "k"), "from the child");
  EXPECT_EQ(*(*zone)->counter("c"), 3);
}

TEST(Zones, AreRefusedWhenTheyAreSomethingElse) {
  for (ZoneLayout other : {small, small, small, small}) {
    static int which = 0;
    ++which;
    if (which == 1) other.size += 64;
    if (which == 2) other.key_bytes += 8;
    if (which == 3) other.value_bytes += 8;
    if (which == 4) other.counters += 4;
    auto memory = Zone::make_memory(small);
    ASSERT_TRUE(memory.ok());
    EXPECT_FALSE(Zone::open(std::move(memory).value(), other).ok()) << which;
  }
  FileDescriptor zeros(::memfd_create("test", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(zeros.get(), static_cast<off_t>(small.size)), 0);
  EXPECT_FALSE(Zone::open(std::move(zeros), small).ok());
  EXPECT_FALSE(Zone::open(FileDescriptor(), small).ok());
  auto tiny = Zone::make_memory({1024, 32, 24, 8});
  ASSERT_TRUE(tiny.ok());
  EXPECT_FALSE(Zone::open(std::move(tiny).value(), {1024, 32, 24, 8}).ok());
}

TEST(Zones, CannotBeResizedByWhoeverHasThem) {
  const auto memory = Zone::make_memory(small);
  ASSERT_TRUE(memory.ok());
  EXPECT_NE(::ftruncate(memory.value().get(), 0), 0);
  EXPECT_NE(::ftruncate(memory.value().get(), static_cast<off_t>(small.size * 2)), 0);
}

TEST(Zones, AddUpWhatManyThreadsAddAtOnce) {
  const auto zone = make(one_set);
  constexpr int each = 5000;
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        std::int64_t sum = 0;
        const bool added = zone->add("n", 1, 1, 0, WhenFull::evict, sum) == Outcome::done;
        const bool stored = put(*zone, "own" + std::to_string(t), std::to_string(i)) == Outcome::done;
        if (!added || !stored || get(*zone, "own" + std::to_string(t)) != std::to_string(i)) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::int64_t sum = 0;
  EXPECT_EQ(zone->add("n", 0, 1, 0, WhenFull::evict, sum), Outcome::done);
  EXPECT_EQ(sum, 4 * each);
  EXPECT_EQ(failed, 0);
}

TEST(Zones, TellTheTimeThatNeverGoesBack) {
  const Zone::Time first = Zone::now();
  EXPECT_GT(first, 0U);
  EXPECT_GE(Zone::now(), first);
}

}  // namespace
}  // namespace trivet::process
