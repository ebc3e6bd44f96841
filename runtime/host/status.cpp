#include "runtime/host/status.hpp"

#include "runtime/host/json.hpp"

namespace trivet::host {
namespace {

constexpr std::array<std::string_view, 3> roles = {"responder", "authorizer", "filter"};
constexpr std::array<std::string_view, 6> classes = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr std::array<std::string_view, 3> verdicts = {"allow", "deny", "error"};

template <std::size_t size>
void put_each(JsonWriter& json, std::string_view name, const std::array<std::string_view, size>& names,
              const std::array<std::uint64_t, size>& counts) {
  json.key(name);
  json.begin_object();
  for (std::size_t i = 0; i < size; ++i) json.member(names[i], counts[i]);
  json.end_object();
}

/// In whole microseconds; null where nothing was measured.
void put_mean(JsonWriter& json, std::string_view name, std::uint64_t nanoseconds, std::uint64_t count) {
  json.key(name);
  if (count == 0) {
    json.null();
  } else {
    json.value(nanoseconds / count / 1000);
  }
}

std::uint64_t seconds(std::chrono::seconds time) {
  return time.count() > 0 ? static_cast<std::uint64_t>(time.count()) : 0;
}
std::uint64_t number_of(std::int64_t pid) { return pid > 0 ? static_cast<std::uint64_t>(pid) : 0; }

void put(JsonWriter& json, const Status::Worker& worker) {
  json.begin_object();
  json.member("worker", worker.number);
  json.member("slot", worker.slot);
  json.member("pid", number_of(worker.pid));
  json.member("generation", worker.generation);
  json.member("state", worker.state);
  json.member("uptime_seconds", seconds(worker.uptime));
  json.member("requests", worker.requests);
  json.member("in_flight", worker.in_flight);
  json.member("connections", worker.connections);
  json.member("memory_bytes", worker.memory);
  json.end_object();
}

void put(JsonWriter& json, const process::WorkerTotals& totals) {
  json.begin_object();
  put_each(json, "requests", roles, totals.requests);
  put_each(json, "responses", classes, totals.responses);
  put_each(json, "verdicts", verdicts, totals.verdicts);
  json.member("in_flight", totals.requests_open);
  json.member("connections_accepted", totals.connections_accepted);
  json.member("connections_open", totals.connections_open);
  json.member("connections_closed", totals.connections_closed);
  json.member("bytes_in", totals.bytes_in);
  json.member("bytes_out", totals.bytes_out);
  json.member("limits_hit", totals.limits_hit);
  json.member("records_ignored", totals.records_ignored);
  json.member("log_lines_lost", totals.log_lines_lost);
  json.end_object();
}

void put(JsonWriter& json, const Status::Plugin& plugin) {
  const process::PluginTotals& counts = plugin.counts;
  json.begin_object();
  json.member("name", plugin.name);
  json.member("calls", counts.calls);
  json.member("errors", counts.errors);
  json.member("timeouts", counts.timeouts);
  json.member("refused", counts.refused);
  json.member("waiting", counts.waiting);
  json.member("running", counts.running);
  json.member("lost", counts.lost);
  put_mean(json, "mean_microseconds", counts.running_time, counts.timed);
  put_mean(json, "mean_queue_microseconds", counts.waiting_time, counts.timed);
  json.member("remembered", counts.remembered);
  json.member("not_remembered", counts.not_remembered);
  json.member("shadow_allows", counts.shadow_allows);
  json.member("shadow_denies", counts.shadow_denies);
  json.end_object();
}

void put(JsonWriter& json, const Status::Route& route) {
  const process::RouteTotals& counts = route.counts;
  std::uint64_t answered = 0;
  for (const std::uint64_t each : counts.responses) answered += each;
  json.begin_object();
  json.member("name", route.name);
  json.member("requests", counts.requests);
  put_each(json, "responses", classes, counts.responses);
  put_each(json, "verdicts", verdicts, counts.verdicts);
  put_mean(json, "mean_head_microseconds", counts.head_time, answered);
  json.end_object();
}

void put(JsonWriter& json, const Status::Listener& listener) {
  json.begin_object();
  json.member("name", listener.name);
  json.member("address", listener.address);
  json.end_object();
}

template <class Each>
void put_list(JsonWriter& json, std::string_view name, const std::vector<Each>& all) {
  json.key(name);
  json.begin_list();
  for (const Each& each : all) put(json, each);
  json.end_list();
}

}  // namespace

void fill_in(Status& status, const config::Config& config, const process::StatisticsTotals& counted) {
  for (const config::Plugin& each : config.plugins)
    status.plugins.push_back({each.name, counted.plugin(each.name)});
  for (const config::Route& each : config.routes)
    status.routes.push_back({each.name, counted.route(each.name)});
  for (const config::Listen& each : config.listen) status.listeners.push_back({each.name, each.text});
}

std::string as_json(const Status& status) {
  JsonWriter json;
  json.begin_object();
  json.member("version", status.version);
  json.member("generation", status.generation);
  json.member("pid", number_of(status.pid));
  json.member("uptime_seconds", seconds(status.uptime));
  json.member("state", status.state);
  put_list(json, "workers", status.workers);
  json.key("totals");
  put(json, status.totals);
  put_list(json, "plugins", status.plugins);
  put_list(json, "routes", status.routes);
  put_list(json, "listeners", status.listeners);
  json.end_object();
  return json.take() + "\n";
}

}  // namespace trivet::host
