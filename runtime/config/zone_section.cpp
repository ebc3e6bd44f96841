#include "runtime/config/sections.hpp"
#include "runtime/config/text.hpp"
#include "runtime/config/units.hpp"

namespace trivet::config {
namespace {

constexpr SizeRange any_zone_size{64ULL << 10U, 16ULL << 30U};

void read_zone(Sink& sink, const Table& table, const Entry& entry, Zone& out) {
  out.name = entry.key;
  out.place = sink.place(entry.value.span);
  if (!is_plain_name(entry.key)) {
    sink.error(entry.key_span, in_quotes(entry.key) + " cannot name a zone",
               "letters, digits, `_`, `-` and `.`");
  }
  TableReader reader(sink, table, "[zone." + one_line(entry.key) + "]");
  const Entry* const size = reader.size("size", any_zone_size, out.layout.size);
  std::uint64_t key_bytes = out.layout.key_bytes;
  std::uint64_t value_bytes = out.layout.value_bytes;
  std::int64_t counters = out.layout.counters;
  reader.bytes("key_bytes", {8, 256}, key_bytes);
  reader.bytes("value_bytes", {8, 4096}, value_bytes);
  reader.integer("counters", {0, 65536}, counters);
  reader.finish();
  out.layout.key_bytes = static_cast<std::uint32_t>(key_bytes);
  out.layout.value_bytes = static_cast<std::uint32_t>(value_bytes);
  out.layout.counters = static_cast<std::uint32_t>(counters);
  if (out.layout.sets() > 0) return;
  sink.error(
      size == nullptr ? entry.value.span : size->value.span,
      "the zone " + in_quotes(out.name) + " has no room for entries in " + format_size(out.layout.size),
      "`size` has to be " + format_size(out.layout.least_size()) + " at least");
}

}  // namespace

void read_zones(Sink& sink, const Table& table, std::vector<Zone>& out) {
  for (const Entry& each : table) {
    const Table* const zone = each.value.table();
    if (zone == nullptr) {
      sink.error(
          each.key_span,
          "[zone] holds one table for each zone, `" + one_line(each.key) + "` is " + describe(each.value),
          "write [zone.NAME] above the zone's keys");
    } else if (out.size() == most_zones) {
      sink.error(each.key_span, "more than " + std::to_string(most_zones) + " zones",
                 "let plugins share one: their keys can begin differently");
      return;
    } else {
      read_zone(sink, *zone, each, out.emplace_back());
    }
  }
}

}  // namespace trivet::config
