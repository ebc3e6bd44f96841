#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <trivet/basic.hpp>

namespace trivet {

/// A zone for tests, with a clock that stands still until the test moves it. Several FakeHosts can have the
/// same one, as several workers would.
///
/// Thread    One.
/// Lifetime  Outlives the hosts that it was given to.
class FakeZone {
 public:
  struct Size {
    std::size_t entries = 1000;  ///< Unlike a real zone it holds exactly that many.
    std::uint32_t key_bytes = 64;
    std::uint32_t value_bytes = 64;
    std::uint32_t counters = 64;
  };
  FakeZone() = default;
  explicit FakeZone(const Size& size) : size_(size) {}
  FakeZone(const FakeZone&) = delete;
  FakeZone& operator=(const FakeZone&) = delete;

  void advance(std::chrono::nanoseconds time) { now_ += static_cast<std::uint64_t>(time.count()); }
  /// How many entries have not expired.
  [[nodiscard]] std::size_t entries() {
    forget();
    return entries_.size();
  }

  // What the functions of the host do, as <trivet/abi.h> says.

  [[nodiscard]] const Size& size() const noexcept { return size_; }
  [[nodiscard]] std::uint64_t now() const noexcept { return now_; }
  trivet_status get(std::string_view key, void* value, std::size_t capacity, std::size_t& length,
                    std::uint64_t& version) {
    version = 0;
    length = 0;
    if (key.size() > size_.key_bytes) return TRIVET_E_ARGUMENT;
    forget();
    const auto found = entries_.find(key);
    if (found == entries_.end()) return TRIVET_E_ABSENT;
    length = found->second.value.size();
    version = found->second.version;
    found->second.used = ++steps_;
    const std::size_t fits = length < capacity ? length : capacity;
    if (fits > 0) std::memcpy(value, found->second.value.data(), fits);
    return TRIVET_OK;
  }
  trivet_status put(std::string_view key, std::string_view value, std::uint64_t lifetime,
                    std::uint64_t version, trivet_zone_full when_full) {
    if (key.size() > size_.key_bytes || value.size() > size_.value_bytes) return TRIVET_E_ARGUMENT;
    forget();
    if (!is_of(key, version)) return TRIVET_E_STATE;
    if (!make_room(key, when_full)) return TRIVET_E_LIMIT;
    ++steps_;
    entries_.insert_or_assign(std::string(key),
                              Entry{std::string(value), steps_, lifetime == 0 ? 0 : now_ + lifetime, steps_});
    return TRIVET_OK;
  }
  trivet_status add(std::string_view key, std::int64_t delta, std::uint64_t lifetime,
                    trivet_zone_full when_full, std::int64_t& sum) {
    sum = 0;
    if (key.size() > size_.key_bytes || size_.value_bytes < sizeof sum) return TRIVET_E_ARGUMENT;
    forget();
    const auto found = entries_.find(key);
    std::uint64_t left = lifetime;
    if (found != entries_.end()) {
      if (found->second.value.size() != sizeof sum) return TRIVET_E_ARGUMENT;
      std::memcpy(&sum, found->second.value.data(), sizeof sum);
      left = found->second.expires == 0 ? 0 : found->second.expires - now_;
    }
    if (__builtin_add_overflow(sum, delta, &sum)) sum = delta < 0 ? INT64_MIN : INT64_MAX;
    return put(key, {reinterpret_cast<const char*>(&sum), sizeof sum}, left, TRIVET_ZONE_ANY,  // NOLINT
               when_full);
  }
  trivet_status remove(std::string_view key, std::uint64_t version) {
    if (key.size() > size_.key_bytes) return TRIVET_E_ARGUMENT;
    forget();
    const auto found = entries_.find(key);
    if (found == entries_.end()) return TRIVET_E_ABSENT;
    if (!is_of(key, version)) return TRIVET_E_STATE;
    entries_.erase(found);
    return TRIVET_OK;
  }
  std::int64_t* counter(std::string_view name) {
    const auto found = counters_.find(name);
    if (found != counters_.end()) return &found->second;
    if (counters_.size() >= size_.counters) return nullptr;
    return &counters_[std::string(name)];
  }

 private:
  struct Entry {
    std::string value;
    std::uint64_t version;
    std::uint64_t expires;
    std::uint64_t used;
  };

  void forget() {
    std::erase_if(entries_, [this](const auto& each) {
      return each.second.expires != 0 && each.second.expires <= now_;
    });
  }
  [[nodiscard]] bool is_of(std::string_view key, std::uint64_t version) const {
    const auto found = entries_.find(key);
    return version == TRIVET_ZONE_ANY || version == (found == entries_.end() ? 0 : found->second.version);
  }
  bool make_room(std::string_view key, trivet_zone_full when_full) {
    if (entries_.size() < size_.entries || entries_.contains(key)) return true;
    if (when_full != TRIVET_ZONE_EVICT || entries_.empty()) return false;
    auto oldest = entries_.begin();
    for (auto each = entries_.begin(); each != entries_.end(); ++each) {
      if (each->second.used < oldest->second.used) oldest = each;
    }
    entries_.erase(oldest);
    return true;
  }

  Size size_;
  std::uint64_t now_ = 1'000'000'000'000;
  std::uint64_t steps_ = 0;
  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::string, std::int64_t, std::less<>> counters_;
};

namespace sdk {

/// The functions of the host, over FakeZone.
struct FakeZones {
  static FakeZone& of(const trivet_zone* zone) {
    return *const_cast<FakeZone*>(
        reinterpret_cast<const FakeZone*>(zone));  // NOLINT: the handle is this object
  }
  static trivet_status info(const trivet_zone* zone, trivet_zone_info* info) {
    const FakeZone::Size& size = of(zone).size();
    *info = {sizeof *info, size.key_bytes, size.value_bytes, size.counters, size.entries};
    return TRIVET_OK;
  }
  static std::uint64_t now(const trivet_zone* zone) { return of(zone).now(); }
  static trivet_status get(trivet_zone* zone, trivet_text key, void* value, std::size_t capacity,
                           std::size_t* length, std::uint64_t* version) {
    return of(zone).get(view(key), value, capacity, *length, *version);
  }
  static trivet_status put(trivet_zone* zone, trivet_text key, trivet_text value, std::uint64_t lifetime,
                           std::uint64_t version, trivet_zone_full when_full) {
    return of(zone).put(view(key), view(value), lifetime, version, when_full);
  }
  static trivet_status add(trivet_zone* zone, trivet_text key, std::int64_t delta, std::uint64_t lifetime,
                           trivet_zone_full when_full, std::int64_t* sum) {
    return of(zone).add(view(key), delta, lifetime, when_full, *sum);
  }
  static trivet_status remove(trivet_zone* zone, trivet_text key, std::uint64_t version) {
    return of(zone).remove(view(key), version);
  }
  static trivet_status counter(trivet_zone* zone, trivet_text name, trivet_counter** counter) {
    *counter = reinterpret_cast<trivet_counter*>(of(zone).counter(view(name)));  // NOLINT: an opaque handle
    return *counter == nullptr ? TRIVET_E_LIMIT : TRIVET_OK;
  }
  static std::int64_t counter_add(trivet_counter* counter, std::int64_t delta) {
    return *reinterpret_cast<std::int64_t*>(counter) += delta;  // NOLINT: the handle is that number
  }
};

}  // namespace sdk
}  // namespace trivet
