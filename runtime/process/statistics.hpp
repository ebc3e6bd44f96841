#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/process/counters.hpp"
#include "runtime/process/file_descriptor.hpp"
#include "runtime/process/totals.hpp"

namespace trivet::process {

/// What one worker counts of one plugin. A call is one use of the plugin for one request: a guard that is
/// asked, a source or filter from its first hook to its last. Times are in nanoseconds, and those of plugin
/// threads only: a call on the loop takes less than reading the clock around each of its hooks would.
///
/// Layout, Thread, Lifetime  As WorkerCounters.
struct alignas(64) PluginCounters {
  Counter calls{};         ///< Begun.
  Counter errors{};        ///< Of them: a hook failed, or threw.
  Counter timeouts{};      ///< Of them: no answer within the plugin's timeout.
  Counter refused{};       ///< Beside them: the queue was full.
  Counter timed{};         ///< Of them: those whose times are known.
  Counter running_time{};  ///< Their sum, without what they waited for the web server.
  Counter waiting_time{};  ///< The time they were queued.
  // Of the moment, looked at twice a second:
  Counter waiting{};  ///< Requests in the queue.
  Counter running{};  ///< Threads at work.
  Counter lost{};     ///< Threads that may never come back.
  // Of guards:
  Counter remembered{};      ///< Verdicts that were there without a call.
  Counter not_remembered{};  ///< Those of a guard with a cache that were not.
  Counter shadow_allows{};   ///< What guards said that decide nothing.
  Counter shadow_denies{};   ///< As well; failures too.
};

/// What one worker counts of one route; as for WorkerCounters.
struct alignas(64) RouteCounters {
  Counter requests{};
  std::array<Counter, 6> responses{};
  std::array<Counter, 3> verdicts{};
  Counter head_time{};  ///< From the first byte of each request to its head, in nanoseconds.
};

static_assert(std::is_standard_layout_v<PluginCounters> && std::is_standard_layout_v<RouteCounters>);
static_assert(sizeof(PluginCounters) == 128 && sizeof(RouteCounters) == 128, "all entries have one size");

/// Memory that the workers of one generation count in and their supervisor reads: a row for each worker, a
/// column for each plugin and then for each route, in the order of the configuration.
///
///   header | row 0: plugins, routes | row 1: plugins, routes | ...
///
/// A row is its worker's as long as that lives; afterwards another one goes on counting in it, nothing is
/// ever taken back. There are rows for workers that are being replaced as well. An entry that nobody has
/// counted in costs no memory, and is not touched by reading either: the kernel is asked which pages there
/// are.
///
/// Thread    make(), open() [startup]; a row is written by its worker's loop; sums [any].
/// Lifetime  Mapped as long as this lives. Nobody can make it shorter.
/// Errors    Memory of another layout or another configuration is refused.
class Statistics {
 public:
  struct Shape {
    std::uint32_t rows = 0;  ///< Twice as many as workers: for those that are being replaced.
    std::uint32_t plugins = 0;
    std::uint32_t routes = 0;
    friend bool operator==(const Shape&, const Shape&) = default;
  };
  struct Row {
    std::span<PluginCounters> plugins;
    std::span<RouteCounters> routes;
  };
  struct Sums {
    std::vector<PluginTotals> plugins;
    std::vector<RouteTotals> routes;
  };

  static base::Result<Statistics> make(const Shape& shape);
  /// In a worker: what was passed. `rows` of the shape is not compared.
  static base::Result<Statistics> open(FileDescriptor memory, const Shape& expected);
  ~Statistics();
  Statistics(Statistics&& other) noexcept;
  Statistics& operator=(Statistics&& other) = delete;
  Statistics(const Statistics&) = delete;
  Statistics& operator=(const Statistics&) = delete;

  /// For a worker: a row that no other process has, this one if it is free; its own until the process ends.
  /// What is of the moment only starts from zero. With more workers than rows two share one, and may
  /// miscount.
  [[nodiscard]] Row take(std::uint32_t preferred) const noexcept;
  /// For the supervisor, after the worker of this row has ended: what is of the moment is over. Until another
  /// one takes it.
  void rest(std::uint32_t row) const noexcept;
  /// Over all rows.
  [[nodiscard]] Sums sum() const;

  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] int descriptor() const noexcept { return memory_.get(); }

 private:
  Statistics() = default;
  base::Result<> map();
  [[nodiscard]] Row at(std::uint32_t row) const noexcept;
  [[nodiscard]] bool claim(std::uint32_t row) const noexcept;
  void add_entries(std::size_t from, std::size_t to, Sums& sums) const;

  FileDescriptor memory_;
  void* mapped_ = nullptr;
  std::size_t size_ = 0;
  Shape shape_;
};

/// Sums by name, over generations: configurations differ, names stay.
///
/// Memory  One entry for each name there has been since the last keep().
class StatisticsTotals {
 public:
  using Plugins = std::map<std::string, PluginTotals>;
  using Routes = std::map<std::string, RouteTotals>;

  StatisticsTotals() = default;
  /// What another one had summed.
  StatisticsTotals(Plugins plugins, Routes routes)
      : plugins_(std::move(plugins)), routes_(std::move(routes)) {}

  /// What the columns are called.
  struct Names {
    std::vector<std::string> plugins;
    std::vector<std::string> routes;
  };
  enum class Workers : bool {
    ended,  ///< What is of the moment only is over.
    at_work,
  };
  void add(const Statistics& statistics, const Names& names, Workers workers);
  /// Forgets every name that is not among these.
  void keep(const Names& names);

  /// Zeros for a name that nobody counted under.
  [[nodiscard]] PluginTotals plugin(const std::string& name) const;
  [[nodiscard]] RouteTotals route(const std::string& name) const;
  [[nodiscard]] const Plugins& plugins() const noexcept { return plugins_; }
  [[nodiscard]] const Routes& routes() const noexcept { return routes_; }

 private:
  Plugins plugins_;
  Routes routes_;
};

/// Adds what one worker counted. For one that ended, its connections and requests are over.
void add_to(WorkerTotals& totals, const WorkerCounters& counters, StatisticsTotals::Workers workers) noexcept;

}  // namespace trivet::process
