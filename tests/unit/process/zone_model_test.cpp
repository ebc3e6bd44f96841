#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>

#include "runtime/process/zone.hpp"

namespace trivet::process {
namespace {

using Outcome = Zone::Outcome;
using WhenFull = Zone::WhenFull;

struct Held {
  std::string value;
  Zone::Time expires = 0;
  std::uint64_t version = 0;
  Zone::Time used = 0;
};

/// A zone and a map to which the same is done.
class Twins {
 public:
  Twins(const ZoneLayout& layout, std::uint64_t seed) : random_(seed), room_(layout.entries()) {
    auto memory = Zone::make_memory(layout);
    zone_ = std::move(Zone::open(std::move(memory).value(), layout)).value();
  }

  void step(unsigned keys, bool with_time) {
    now_ += 1 + pick(3);
    const std::string key = "key" + std::to_string(pick(keys)) + std::string(pick(2), 'x');
    if (const auto found = map_.find(key); found != map_.end() && over(found->second)) map_.erase(found);
    const Zone::Time lifetime = with_time && pick(2) == 0 ? 1 + pick(200) : 0;
    switch (pick(5)) {
      case 0:
      case 1:
        put(key, std::string(pick(25), static_cast<char>('a' + pick(26))), lifetime);
        break;
      case 2:
        add(key, static_cast<std::int64_t>(pick(100)) - 50, lifetime);
        break;
      case 3:
        remove(key);
        break;
      default:
        get(key);
    }
  }

  [[nodiscard]] std::size_t size() const { return map_.size(); }

 private:
  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
  [[nodiscard]] bool over(const Held& held) const { return held.expires != 0 && held.expires <= now_; }
  std::uint64_t condition(const std::string& key) {
    const auto found = map_.find(key);
    const std::uint64_t current = found == map_.end() ? 0 : found->second.version;
    const unsigned which = pick(4);
    return which == 0 ? current : which == 1 ? current + 1 : Zone::any_version;
  }

  void make_room(const std::string& key) {
    if (map_.contains(key) || map_.size() < room_) return;
    map_.erase(std::min_element(map_.begin(), map_.end(),
                                [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }

  /// What get() says has to be the map's; learns the version.
  void look(const std::string& key, bool wrote) {
    std::string value(64, '?');
    Zone::Entry entry;
    const Outcome outcome = zone_->get(key, now_, value, entry);
    const auto found = map_.find(key);
    if (found == map_.end()) {
      ASSERT_EQ(outcome, Outcome::absent) << key;
      return;
    }
    ASSERT_EQ(outcome, Outcome::done) << key;
    value.resize(entry.size);
    Held& held = found->second;
    ASSERT_EQ(value, held.value) << key;
    ASSERT_EQ(entry.expires, held.expires) << key;
    if (wrote) {
      ASSERT_GT(entry.version, held.version) << key;
    } else {
      ASSERT_EQ(entry.version, held.version) << key;
    }
    held.version = entry.version;
    held.used = now_;
  }

  void get(const std::string& key) { look(key, false); }

  void put(const std::string& key, const std::string& value, Zone::Time lifetime) {
    const std::uint64_t wanted = condition(key);
    const auto found = map_.find(key);
    const bool fits =
        wanted == Zone::any_version || wanted == (found == map_.end() ? 0 : found->second.version);
    const Outcome outcome = zone_->put(key, value, now_, lifetime, wanted, WhenFull::evict);
    ASSERT_EQ(outcome, fits ? Outcome::done : Outcome::changed) << key;
    if (fits) {
      make_room(key);
      Held& held = map_[key];
      held.value = value;
      held.expires = lifetime == 0 ? 0 : now_ + lifetime;
    }
    look(key, fits);
  }

  void add(const std::string& key, std::int64_t delta, Zone::Time lifetime) {
    const auto found = map_.find(key);
    std::int64_t sum = 0;
    const Outcome outcome = zone_->add(key, delta, now_, lifetime, WhenFull::evict, sum);
    if (found != map_.end() && found->second.value.size() != sizeof sum) {
      ASSERT_EQ(outcome, Outcome::refused);
      return;
    }
    ASSERT_EQ(outcome, Outcome::done);
    std::int64_t expected = 0;
    if (found != map_.end()) std::copy_n(found->second.value.data(), sizeof expected, bytes(expected));
    expected += delta;
    ASSERT_EQ(sum, expected);
    make_room(key);
    if (!map_.contains(key)) map_[key].expires = lifetime == 0 ? 0 : now_ + lifetime;
    map_[key].value.assign(bytes(expected), sizeof expected);
    look(key, true);
  }

  void remove(const std::string& key) {
    const std::uint64_t wanted = condition(key);
    const auto found = map_.find(key);
    const Outcome outcome = zone_->remove(key, now_, wanted);
    if (found == map_.end()) {
      ASSERT_EQ(outcome, Outcome::absent);
    } else if (wanted == Zone::any_version || wanted == found->second.version) {
      ASSERT_EQ(outcome, Outcome::done);
      map_.erase(found);
    } else {
      ASSERT_EQ(outcome, Outcome::changed);
    }
    look(key, false);
  }

  static char* bytes(std::int64_t& number) { return reinterpret_cast<char*>(&number); }  // NOLINT

  std::mt19937_64 random_;
  std::uint64_t room_;
  std::unique_ptr<Zone> zone_;
  std::map<std::string, Held> map_;
  Zone::Time now_ = 1000;
};

class ZoneModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(ZoneModel, DoesWhatAMapWouldWhileThereIsRoom) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  Twins twins({1 << 20, 16, 24, 0}, GetParam());
  for (int i = 0; i < 20'000 && !HasFatalFailure(); ++i) twins.step(40, true);
  EXPECT_GT(twins.size(), 20U);
}

TEST_P(ZoneModel, KeepsTheEntriesThatWereUsedLast) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  const ZoneLayout one_set{ZoneLayout{0, 16, 24, 0}.least_size(), 16, 24, 0};
  Twins twins(one_set, GetParam());
  for (int i = 0; i < 20'000 && !HasFatalFailure(); ++i) twins.step(20, false);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ZoneModel, testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace trivet::process
