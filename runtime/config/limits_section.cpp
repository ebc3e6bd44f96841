#include "runtime/config/sections.hpp"

namespace trivet::config {
namespace {

constexpr std::uint64_t kib = 1ULL << 10U;
constexpr std::uint64_t mib = 1ULL << 20U;
constexpr std::uint64_t gib = 1ULL << 30U;
/// Far beyond any disk, and far from where sums of sizes would overflow.
constexpr SizeRange any_size{0, gib << 20U};

void read_count(TableReader& reader, std::string_view key, const IntegerRange& range, std::size_t& out) {
  auto value = static_cast<std::int64_t>(out);
  reader.integer(key, range, value);
  out = static_cast<std::size_t>(value);
}

void read_size(TableReader& reader, std::string_view key, const SizeRange& range, std::size_t& out) {
  std::uint64_t value = out;
  reader.size(key, range, value);
  out = static_cast<std::size_t>(value);
}

}  // namespace

void read_limits(Sink& sink, const Table& table, base::Limits& out, std::string& spool_dir) {
  TableReader reader(sink, table, "[limits]");
  read_count(reader, "connections", {1, 1'000'000}, out.connections);
  read_count(reader, "concurrent_per_connection", {1, 65535}, out.concurrent_per_connection);
  read_size(reader, "params_bytes", {kib, 16 * mib}, out.params_bytes);
  read_count(reader, "params_count", {1, 100'000}, out.params_count);
  reader.size("body_bytes", any_size, out.body_bytes);
  reader.size_or_unlimited("data_bytes", any_size, out.data_bytes);
  read_size(reader, "window", {4 * kib, 16 * mib}, out.window);
  std::uint64_t head_bytes = out.head_bytes;
  reader.bytes("head_bytes", {512, 65528}, head_bytes);  // As everybody counts who bounds a response head.
  out.head_bytes = static_cast<std::size_t>(head_bytes);
  read_count(reader, "head_fields", {1, 1000}, out.head_fields);
  reader.absolute_path("spool_dir", spool_dir);
  read_size(reader, "spool_memory", {0, gib}, out.spool_memory);
  reader.size("spool_bytes", any_size, out.spool_bytes);
  reader.size("drain_bytes", any_size, out.drain_bytes);
  read_count(reader, "disk_threads", {1, 256}, out.disk_threads);
  read_count(reader, "disk_queue", {1, 1'000'000}, out.disk_queue);
  reader.duration_or_off("header_time", any_duration, out.header_time);
  reader.duration_or_off("stall_time", any_duration, out.stall_time);
  reader.duration_or_off("idle_time", any_duration, out.idle_time);
  reader.finish();
}

}  // namespace trivet::config
