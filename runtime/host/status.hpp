#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/config/config.hpp"
#include "runtime/process/statistics.hpp"
#include "runtime/process/totals.hpp"

namespace trivet::host {

/// What a running host says of itself when it is asked: plain values, collected by the supervisor.
struct Status {
  struct Worker {
    std::uint32_t number = 0;  ///< Which of its generation's.
    std::uint32_t slot = 0;    ///< Of the board.
    std::int64_t pid = 0;
    std::uint32_t generation = 0;
    std::string state;  ///< A word.
    std::chrono::seconds uptime{};
    std::uint64_t requests = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t connections = 0;
    std::uint64_t memory = 0;  ///< Resident, in bytes.
  };
  struct Plugin {
    std::string name;
    process::PluginTotals counts;
  };
  struct Route {
    std::string name;
    process::RouteTotals counts;
  };
  struct Listener {
    std::string name;
    std::string address;  ///< As the configuration writes it.
  };

  std::string version;
  std::uint32_t generation = 0;
  std::int64_t pid = 0;
  std::chrono::seconds uptime{};
  std::string state;  ///< A word.
  std::vector<Worker> workers;
  process::WorkerTotals totals;  ///< Of all workers there have been.
  std::vector<Plugin> plugins;  ///< In the order of the configuration; sums over all that ran under the name.
  std::vector<Route> routes;
  std::vector<Listener> listeners;
};

/// What the configuration names, in its order, with what was counted under each name.
void fill_in(Status& status, const config::Config& config, const process::StatisticsTotals& counted);

/// For a person: tables of at most 100 columns. Names that are longer than their column end in `...`.
[[nodiscard]] std::string as_text(const Status& status);
/// For a program: one object, with every name in full, times in seconds or in microseconds as their names
/// say. Append only. Ends in a line end.
[[nodiscard]] std::string as_json(const Status& status);

}  // namespace trivet::host
