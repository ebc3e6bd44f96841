#include "runtime/host/counted.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "runtime/base/packing.hpp"

namespace trivet::host {
namespace {

constexpr std::string_view magic = "trivet counts";
/// Of how tables are written; what is in them may differ.
constexpr std::size_t version = 1;

template <class Totals>
struct Column {
  std::string_view name;
  std::uint64_t& (*of)(Totals&);
};

using Worker = process::WorkerTotals;
using Plugin = process::PluginTotals;
using Route = process::RouteTotals;
using Count = std::uint64_t&;

// Never give a name another meaning: every version reads what any other has written.
constexpr Column<Worker> worker_columns[] = {
    {"requests.responder", [](Worker& of) -> Count { return of.requests[0]; }},
    {"requests.authorizer", [](Worker& of) -> Count { return of.requests[1]; }},
    {"requests.filter", [](Worker& of) -> Count { return of.requests[2]; }},
    {"responses.none", [](Worker& of) -> Count { return of.responses[0]; }},
    {"responses.1xx", [](Worker& of) -> Count { return of.responses[1]; }},
    {"responses.2xx", [](Worker& of) -> Count { return of.responses[2]; }},
    {"responses.3xx", [](Worker& of) -> Count { return of.responses[3]; }},
    {"responses.4xx", [](Worker& of) -> Count { return of.responses[4]; }},
    {"responses.5xx", [](Worker& of) -> Count { return of.responses[5]; }},
    {"verdicts.allow", [](Worker& of) -> Count { return of.verdicts[0]; }},
    {"verdicts.deny", [](Worker& of) -> Count { return of.verdicts[1]; }},
    {"verdicts.error", [](Worker& of) -> Count { return of.verdicts[2]; }},
    {"connections_accepted", [](Worker& of) -> Count { return of.connections_accepted; }},
    {"connections_closed", [](Worker& of) -> Count { return of.connections_closed; }},
    {"bytes_in", [](Worker& of) -> Count { return of.bytes_in; }},
    {"bytes_out", [](Worker& of) -> Count { return of.bytes_out; }},
    {"limits_hit", [](Worker& of) -> Count { return of.limits_hit; }},
    {"records_ignored", [](Worker& of) -> Count { return of.records_ignored; }},
    {"log_lines_lost", [](Worker& of) -> Count { return of.log_lines_lost; }},
};
constexpr Column<Plugin> plugin_columns[] = {
    {"calls", [](Plugin& of) -> Count { return of.calls; }},
    {"errors", [](Plugin& of) -> Count { return of.errors; }},
    {"timeouts", [](Plugin& of) -> Count { return of.timeouts; }},
    {"refused", [](Plugin& of) -> Count { return of.refused; }},
    {"timed", [](Plugin& of) -> Count { return of.timed; }},
    {"running_time", [](Plugin& of) -> Count { return of.running_time; }},
    {"waiting_time", [](Plugin& of) -> Count { return of.waiting_time; }},
    {"remembered", [](Plugin& of) -> Count { return of.remembered; }},
    {"not_remembered", [](Plugin& of) -> Count { return of.not_remembered; }},
    {"shadow_allows", [](Plugin& of) -> Count { return of.shadow_allows; }},
    {"shadow_denies", [](Plugin& of) -> Count { return of.shadow_denies; }},
};
constexpr Column<Route> route_columns[] = {
    {"requests", [](Route& of) -> Count { return of.requests; }},
    {"responses.none", [](Route& of) -> Count { return of.responses[0]; }},
    {"responses.1xx", [](Route& of) -> Count { return of.responses[1]; }},
    {"responses.2xx", [](Route& of) -> Count { return of.responses[2]; }},
    {"responses.3xx", [](Route& of) -> Count { return of.responses[3]; }},
    {"responses.4xx", [](Route& of) -> Count { return of.responses[4]; }},
    {"responses.5xx", [](Route& of) -> Count { return of.responses[5]; }},
    {"verdicts.allow", [](Route& of) -> Count { return of.verdicts[0]; }},
    {"verdicts.deny", [](Route& of) -> Count { return of.verdicts[1]; }},
    {"verdicts.error", [](Route& of) -> Count { return of.verdicts[2]; }},
    {"head_time", [](Route& of) -> Count { return of.head_time; }},
};

template <class Totals, std::size_t size>
void put(base::Packer& packer, const Column<Totals> (&columns)[size],
         const std::map<std::string, Totals>& rows) {
  packer.number(size);
  for (const Column<Totals>& column : columns) packer.text(column.name);
  packer.number(rows.size());
  for (const auto& [name, totals] : rows) {
    Totals row = totals;
    packer.text(name);
    for (const Column<Totals>& column : columns) packer.number(column.of(row));
  }
}

template <class Totals, std::size_t size>
std::map<std::string, Totals> get(base::Unpacker& from, const Column<Totals> (&columns)[size]) {
  std::vector<const Column<Totals>*> known;  // Null: one that only the writer has.
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left) {
    const std::string name = from.text();
    known.push_back(nullptr);
    for (const Column<Totals>& column : columns) {
      if (column.name == name) known.back() = &column;
    }
  }
  std::map<std::string, Totals> rows;
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left) {
    Totals& row = rows[from.text()];
    for (const Column<Totals>* const column : known) {
      const std::size_t count = from.number();
      if (column != nullptr) column->of(row) = count;
    }
  }
  return rows;
}

void put(base::Packer& packer, const process::StatisticsTotals& totals) {
  put(packer, plugin_columns, totals.plugins());
  put(packer, route_columns, totals.routes());
}

process::StatisticsTotals get_totals(base::Unpacker& from) {
  auto plugins = get(from, plugin_columns);
  return {std::move(plugins), get(from, route_columns)};
}

}  // namespace

std::string pack(const Counted& counted) {
  base::Packer packer;
  packer.text(magic);
  packer.number(version);
  packer.number(static_cast<std::size_t>(counted.started.time_since_epoch().count()));
  put(packer, worker_columns, {{"", counted.ended}});
  put(packer, counted.gone);
  put(packer, counted.seen);
  return packer.take();
}

std::optional<Counted> unpack_counted(std::string_view bytes) {
  base::Unpacker from(bytes);
  if (from.text() != magic || from.number() != version) return std::nullopt;
  Counted got;
  got.started = base::TimePoint(base::Duration(static_cast<base::Duration::rep>(from.number())));
  got.ended = get(from, worker_columns)[""];
  got.gone = get_totals(from);
  got.seen = get_totals(from);
  if (from.failed()) return std::nullopt;  // A later version may have put more behind it.
  return got;
}

}  // namespace trivet::host
