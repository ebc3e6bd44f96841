#include "runtime/plugin/zone_table.hpp"

#include <atomic>
#include <cstring>
#include <exception>
#include <span>

#include "runtime/plugin/call.hpp"
#include "runtime/plugin/settings.hpp"
#include "runtime/process/zone.hpp"

namespace trivet::plugin {
namespace {

using process::Zone;

static_assert(TRIVET_ZONE_ANY == Zone::any_version);

bool is_text(trivet_text given) noexcept { return given.len == 0 || given.ptr != nullptr; }

Zone& zone_of(trivet_zone* zone) noexcept { return *reinterpret_cast<Zone*>(zone); }  // NOLINT: see open()
const Zone& zone_of(const trivet_zone* zone) noexcept {
  return *reinterpret_cast<const Zone*>(zone);  // NOLINT: see open()
}

trivet_status status_of(Zone::Outcome outcome) noexcept {
  switch (outcome) {
    case Zone::Outcome::done:
      return TRIVET_OK;
    case Zone::Outcome::absent:
      return TRIVET_E_ABSENT;
    case Zone::Outcome::changed:
    case Zone::Outcome::busy:
      return TRIVET_E_STATE;
    case Zone::Outcome::full:
      return TRIVET_E_LIMIT;
    case Zone::Outcome::refused:
      break;
  }
  return TRIVET_E_ARGUMENT;
}

bool is_known(trivet_zone_full when_full) noexcept {
  return when_full == TRIVET_ZONE_EVICT || when_full == TRIVET_ZONE_REFUSE;
}
Zone::WhenFull when_full_of(trivet_zone_full when_full) noexcept {
  return when_full == TRIVET_ZONE_EVICT ? Zone::WhenFull::evict : Zone::WhenFull::refuse;
}

trivet_status open(const trivet_settings* settings, trivet_text path, trivet_text name,
                   trivet_zone** zone) noexcept {
  if (settings == nullptr || zone == nullptr || !is_text(path) || !is_text(name)) return TRIVET_E_ARGUMENT;
  *zone = nullptr;
  try {
    // Plugins see a constant; that a mistake is told to it is the reader's affair.
    auto& reader = *const_cast<SettingsReader*>(reinterpret_cast<const SettingsReader*>(settings));  // NOLINT
    Zone* const found = reader.zone(view(path), view(name));
    *zone = reinterpret_cast<trivet_zone*>(found);  // NOLINT: an opaque handle
    return found == nullptr ? TRIVET_E_ABSENT : TRIVET_OK;
  } catch (const std::exception&) {
    return TRIVET_E_LIMIT;  // Memory is all that can be wanting.
  }
}

trivet_status info(const trivet_zone* zone, trivet_zone_info* into) noexcept {
  if (zone == nullptr || into == nullptr || into->size < offsetof(trivet_zone_info, key_bytes))
    return TRIVET_E_ARGUMENT;
  const base::ZoneLayout& layout = zone_of(zone).layout();
  const std::uint32_t known = into->size;
  const trivet_zone_info full{known, layout.key_bytes, layout.value_bytes, layout.counters, layout.entries()};
  std::memcpy(into, &full, known < sizeof full ? known : sizeof full);
  return TRIVET_OK;
}

std::uint64_t now(const trivet_zone* /*zone*/) noexcept { return Zone::now(); }

trivet_status get(trivet_zone* zone, trivet_text key, void* value, std::size_t capacity, std::size_t* length,
                  std::uint64_t* version) noexcept {
  if (zone == nullptr || !is_text(key) || (value == nullptr && capacity > 0) || length == nullptr ||
      version == nullptr)
    return TRIVET_E_ARGUMENT;
  Zone::Entry entry;
  const Zone::Outcome outcome =
      zone_of(zone).get(view(key), Zone::now(), std::span(static_cast<char*>(value), capacity), entry);
  const bool done = outcome == Zone::Outcome::done;
  *length = done ? entry.size : 0;
  *version = done ? entry.version : 0;
  return status_of(outcome);
}

trivet_status put(trivet_zone* zone, trivet_text key, trivet_text value, std::uint64_t lifetime,
                  std::uint64_t version, trivet_zone_full when_full) noexcept {
  if (zone == nullptr || !is_text(key) || !is_text(value) || !is_known(when_full)) return TRIVET_E_ARGUMENT;
  return status_of(
      zone_of(zone).put(view(key), view(value), Zone::now(), lifetime, version, when_full_of(when_full)));
}

trivet_status add(trivet_zone* zone, trivet_text key, std::int64_t delta, std::uint64_t lifetime,
                  trivet_zone_full when_full, std::int64_t* sum) noexcept {
  if (zone == nullptr || !is_text(key) || !is_known(when_full) || sum == nullptr) return TRIVET_E_ARGUMENT;
  *sum = 0;
  return status_of(zone_of(zone).add(view(key), delta, Zone::now(), lifetime, when_full_of(when_full), *sum));
}

trivet_status remove(trivet_zone* zone, trivet_text key, std::uint64_t version) noexcept {
  if (zone == nullptr || !is_text(key)) return TRIVET_E_ARGUMENT;
  return status_of(zone_of(zone).remove(view(key), Zone::now(), version));
}

trivet_status counter(trivet_zone* zone, trivet_text name, trivet_counter** counter) noexcept {
  if (zone == nullptr || !is_text(name) || counter == nullptr) return TRIVET_E_ARGUMENT;
  std::atomic<std::int64_t>* const found = zone_of(zone).counter(view(name));
  *counter = reinterpret_cast<trivet_counter*>(found);  // NOLINT: an opaque handle
  return found == nullptr ? TRIVET_E_LIMIT : TRIVET_OK;
}

std::int64_t counter_add(trivet_counter* counter, std::int64_t delta) noexcept {
  if (counter == nullptr) return 0;
  auto& number = *reinterpret_cast<std::atomic<std::int64_t>*>(counter);  // NOLINT: the handle is that number
  // Past the end of the range it goes on at the other one.
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(number.fetch_add(delta)) +
                                   static_cast<std::uint64_t>(delta));
}

}  // namespace

const trivet_zones zone_table = {
    .size = sizeof(trivet_zones),
    .reserved = 0,
    .open = &open,
    .info = &info,
    .now = &now,
    .get = &get,
    .put = &put,
    .add = &add,
    .remove = &remove,
    .counter = &counter,
    .counter_add = &counter_add,
};

}  // namespace trivet::plugin
