#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <trivet/basic.hpp>
#include <trivet/settings.hpp>
#include <type_traits>
#include <utility>

namespace trivet {

/// How long an entry of a zone lives.
using Lifetime = std::chrono::nanoseconds;
inline constexpr Lifetime for_good{0};

/// What a zone does with a new entry when there is no room for it. What has expired makes room in any case.
enum class WhenFull : trivet_zone_full {
  evict = TRIVET_ZONE_EVICT,  ///< Gives up an entry that was not used for long.
  refuse = TRIVET_ZONE_REFUSE,
};

/// A number that all threads, workers and plugins with the same zone share.
///
/// Thread    Any.
/// Lifetime  That of the plugin's object.
class Counter {
 public:
  Counter(const trivet_zones* zones, trivet_counter* counter) noexcept : zones_(zones), counter_(counter) {}

  /// Gives what it is then.
  std::int64_t add(std::int64_t delta = 1) const noexcept { return zones_->counter_add(counter_, delta); }
  [[nodiscard]] std::int64_t get() const noexcept { return add(0); }

 private:
  const trivet_zones* zones_;
  trivet_counter* counter_;
};

/// A zone of the configuration: memory that is one for all threads, workers and plugins that name it, and
/// that a reload does not empty. Has counters and a table of entries with keys and values.
///
///     struct Visits {
///       static constexpr bool never_blocks = true;
///       trivet::Zone zone;
///       explicit Visits(trivet::Settings& settings) : zone(settings, "zone") {}
///       void handle(trivet::Request& request, trivet::Response& out) {
///         out << "visit " << std::to_string(zone.add(request.param("REMOTE_ADDR"), 1)) << "\n";
///       }
///     };
///
/// with `[zone.visits]` and `config = { zone = "visits" }` in the configuration. Plugins that share a zone
/// share its keys: begin yours with a word of their own.
///
/// Thread    Any but for the constructor. Nothing waits: all of it is for the event loop too.
/// Lifetime  Made in the plugin's constructor; copies of it are the same zone, as long as the plugin's object
///           lives.
/// Memory    What the configuration says. Keys and values have a bound: see key_bytes() and value_bytes().
/// Errors    A zone that is not configured is told to the operator, then thrown as WrongSetting. What is too
///           long, or no number, throws Error.
class Zone {
 public:
  struct Entry {
    std::string value;
    std::uint64_t version;  ///< Never 0.
  };
  /// What update() writes.
  struct Change {
    std::string value;
    Lifetime lifetime = for_good;
  };

  /// The zone that the setting `key` names.
  Zone(const Settings& settings, std::string_view key) {
    const trivet_host& host = *settings.host_;
    const bool has_zones =
        host.size >= offsetof(trivet_host, zones) + sizeof host.zones && host.zones != nullptr;
    if (!has_zones) {
      settings.fail(key, "needs shared zones, which this host is too old for: its plugin ABI is " +
                             std::to_string(host.abi_major) + "." + std::to_string(host.abi_minor) +
                             ", not 0.2 or later");
    }
    zones_ = host.zones;
    const std::string name = settings.text(key);
    const std::string path = settings.path(key);
    if (zones_->open(settings.settings_, sdk::text(path), sdk::text(name), &zone_) != TRIVET_OK)
      throw WrongSetting();
    info_.size = sizeof info_;
    sdk::require(zones_->info(zone_, &info_), "asking about the zone", name);
  }

  [[nodiscard]] std::size_t key_bytes() const noexcept { return info_.key_bytes; }
  [[nodiscard]] std::size_t value_bytes() const noexcept { return info_.value_bytes; }
  /// How many entries there can be if their keys spread evenly.
  [[nodiscard]] std::uint64_t entries() const noexcept { return info_.entries; }
  /// Of the clock by which entries expire: the same in all workers, and never set back.
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(zones_->now(zone_)));
  }

  /// Nothing where there is no such entry, or it has expired.
  [[nodiscard]] std::optional<Entry> get(std::string_view key) const {
    Entry entry{std::string(info_.value_bytes, '\0'), 0};
    std::size_t length = 0;
    const trivet_status status =
        zones_->get(zone_, sdk::text(key), entry.value.data(), entry.value.size(), &length, &entry.version);
    if (status == TRIVET_E_ABSENT) return std::nullopt;
    sdk::require(status, "reading zone entry", key);
    entry.value.resize(length < entry.value.size() ? length : entry.value.size());
    return entry;
  }
  /// False: there was no room, and nothing was to be given up for it.
  bool put(std::string_view key, std::string_view value, Lifetime lifetime = for_good,
           WhenFull when_full = WhenFull::evict) const {
    return stored(put(key, value, lifetime, TRIVET_ZONE_ANY, when_full), key);
  }
  /// Only over the entry of that version; 0: only where there is none. False: it is not of that version, or
  /// there was no room.
  bool put_if(std::uint64_t version, std::string_view key, std::string_view value,
              Lifetime lifetime = for_good, WhenFull when_full = WhenFull::evict) const {
    const trivet_status status = put(key, value, lifetime, version, when_full);
    return status != TRIVET_E_STATE && stored(status, key);
  }
  /// False: there was none.
  bool remove(std::string_view key) const {
    const trivet_status status = zones_->remove(zone_, sdk::text(key), TRIVET_ZONE_ANY);
    if (status == TRIVET_E_ABSENT) return false;
    sdk::require(status, "removing zone entry", key);
    return true;
  }
  /// Adds to a number, which keeps its time, or makes it. Gives the sum; nothing where there was no room.
  std::optional<std::int64_t> try_add(std::string_view key, std::int64_t delta, Lifetime lifetime = for_good,
                                      WhenFull when_full = WhenFull::evict) const {
    std::int64_t sum = 0;
    const trivet_status status = zones_->add(zone_, sdk::text(key), delta, nanoseconds(lifetime),
                                             static_cast<trivet_zone_full>(when_full), &sum);
    if (!stored(status, key)) return std::nullopt;
    return sum;
  }
  std::int64_t add(std::string_view key, std::int64_t delta, Lifetime lifetime = for_good) const {
    return *try_add(key, delta, lifetime);
  }

  /// Reads, decides and writes as one step. `change` is given the value (std::optional<std::string_view>,
  /// nothing where there is none) and gives a std::optional<Change>: nothing leaves the entry as it is. When
  /// others were in between it is called again, so it has to start anew each time. False: there was no room.
  template <class Decide>
  bool update(std::string_view key, const Decide& change, WhenFull when_full = WhenFull::evict) const {
    for (int tries = 0; tries < most_tries; ++tries) {
      const std::optional<Entry> entry = get(key);
      std::optional<std::string_view> value;
      if (entry) value = entry->value;
      const std::optional<Change> wanted = change(value);
      if (!wanted) return true;
      const trivet_status status =
          put(key, wanted->value, wanted->lifetime, entry ? entry->version : 0, when_full);
      if (status != TRIVET_E_STATE) return stored(status, key);
    }
    sdk::raise(TRIVET_E_STATE, "changing zone entry", key);
  }

  /// The counter of that name, made when it is asked for first.
  [[nodiscard]] Counter counter(std::string_view name) const {
    trivet_counter* counter = nullptr;
    sdk::require(zones_->counter(zone_, sdk::text(name), &counter), "opening counter", name);
    return {zones_, counter};
  }

 private:
  /// Each time somebody else has changed the entry: they get on with it, whatever comes of this one.
  static constexpr int most_tries = 10'000;

  static std::uint64_t nanoseconds(Lifetime lifetime) noexcept {
    return lifetime.count() > 0 ? static_cast<std::uint64_t>(lifetime.count()) : 0;
  }
  [[nodiscard]] trivet_status put(std::string_view key, std::string_view value, Lifetime lifetime,
                                  std::uint64_t version, WhenFull when_full) const noexcept {
    return zones_->put(zone_, sdk::text(key), sdk::text(value), nanoseconds(lifetime), version,
                       static_cast<trivet_zone_full>(when_full));
  }
  [[nodiscard]] static bool stored(trivet_status status, std::string_view key) {
    if (status == TRIVET_E_LIMIT) return false;
    sdk::require(status, "writing zone entry", key);
    return true;
  }

  const trivet_zones* zones_ = nullptr;
  trivet_zone* zone_ = nullptr;
  trivet_zone_info info_{};
};

}  // namespace trivet
