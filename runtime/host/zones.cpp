#include "runtime/host/zones.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace trivet::host {
namespace {

base::Error in_zone(const config::Zone& zone, const base::Error& error) {
  return {error.code, zone.place.file + ":" + std::to_string(zone.place.line) + ":" +
                          std::to_string(zone.place.column) + ": zone \"" + zone.name +
                          "\": " + error.message};
}

}  // namespace

std::vector<int> descriptors_of(const HeldZones& zones) {
  std::vector<int> descriptors;
  descriptors.reserve(zones.size());
  for (const auto& each : zones) descriptors.push_back(each->descriptor.get());
  return descriptors;
}

base::Result<HeldZones> ZoneStore::take(const std::vector<config::Zone>& wanted) {
  std::erase_if(known_, [](const auto& each) { return each.second.expired(); });
  HeldZones taken;
  for (const config::Zone& each : wanted) {
    const auto found = known_.find({each.name, each.layout});
    auto zone = found == known_.end() ? nullptr : found->second.lock();
    if (zone == nullptr) {
      auto memory = process::Zone::make_memory(each.layout);
      if (!memory) return in_zone(each, memory.error());
      const bool is_other = std::any_of(known_.begin(), known_.end(),
                                        [&](const auto& other) { return other.first.first == each.name; });
      log_.info(is_other ? "a zone begins empty: its layout changed" : "a zone is made",
                {{"zone", each.name},
                 {"bytes", std::to_string(each.layout.size)},
                 {"entries", std::to_string(each.layout.entries())}});
      zone = remember(each.name, each.layout, std::move(memory).value());
    }
    taken.push_back(std::move(zone));
  }
  return taken;
}

HeldZones ZoneStore::held() const {
  HeldZones all;
  for (const auto& [key, zone] : known_) {
    if (auto held = zone.lock()) all.push_back(std::move(held));
  }
  return all;
}

std::string ZoneStore::pack(const ZoneMemory& zone) {
  const base::ZoneLayout& layout = zone.layout;
  // A name has no blank in it.
  return std::to_string(layout.size) + " " + std::to_string(layout.key_bytes) + " " +
         std::to_string(layout.value_bytes) + " " + std::to_string(layout.counters) + " " + zone.name;
}

std::shared_ptr<const ZoneMemory> ZoneStore::adopt(const std::string& packed,
                                                   process::FileDescriptor descriptor) {
  base::ZoneLayout layout;
  std::string_view rest = packed;
  const auto number = [&rest](auto& out) {
    const char* const end = rest.data() + rest.size();
    const auto read = std::from_chars(rest.data(), end, out);
    if (read.ec != std::errc() || read.ptr == end || *read.ptr != ' ') return false;
    rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()) + 1);
    return true;
  };
  if (!number(layout.size) || !number(layout.key_bytes) || !number(layout.value_bytes) ||
      !number(layout.counters) || rest.empty())
    return nullptr;
  return remember(std::string(rest), layout, std::move(descriptor));
}

std::shared_ptr<const ZoneMemory> ZoneStore::remember(std::string name, const base::ZoneLayout& layout,
                                                      process::FileDescriptor descriptor) {
  auto zone = std::make_shared<const ZoneMemory>(ZoneMemory{std::move(name), layout, std::move(descriptor)});
  known_.insert_or_assign(Key{zone->name, layout}, zone);
  return zone;
}

base::Result<process::Zones> open_zones(const std::vector<config::Zone>& configured,
                                        std::vector<process::FileDescriptor> descriptors) {
  process::Zones zones;
  if (configured.size() != descriptors.size())
    return base::Error{base::ErrorCode::system_failure,
                       "not every zone arrived: the limit of open descriptors is too low"};
  for (std::size_t i = 0; i < configured.size(); ++i) {
    auto zone = process::Zone::open(std::move(descriptors[i]), configured[i].layout);
    if (!zone) return in_zone(configured[i], zone.error());
    zones.emplace(configured[i].name, std::move(zone).value());
  }
  return zones;
}

base::Result<process::Zones> make_zones(const std::vector<config::Zone>& configured) {
  std::vector<process::FileDescriptor> descriptors;
  for (const config::Zone& each : configured) {
    auto memory = process::Zone::make_memory(each.layout);
    if (!memory) return in_zone(each, memory.error());
    descriptors.push_back(std::move(memory).value());
  }
  return open_zones(configured, std::move(descriptors));
}

}  // namespace trivet::host
