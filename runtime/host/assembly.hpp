#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/log/log.hpp"
#include "runtime/plugin/plugin.hpp"
#include "runtime/process/statistics.hpp"
#include "runtime/roles/router.hpp"
#include "runtime/source/disk.hpp"

namespace trivet::host {

/// The plugins of a configuration, started, and the routes that use them.
///
/// Lifetime  Plugins and the disk outlive the routes, and every request; the loop outlives all of it: sources
///           keep connections.
struct Assembly {
  std::unique_ptr<process::Statistics> statistics;
  process::Statistics::Row counted;  ///< Where plugins and routes are counted.
  std::vector<std::unique_ptr<plugin::Plugin>> plugins;
  std::unique_ptr<source::Disk> disk;  ///< Null: no route has files.
  std::unique_ptr<roles::Router> router;
};

/// Starts every plugin and joins the routes with them. All that is wrong is told at once: a plugin that does
/// not load, one that is used in a role that it has not. [startup]
struct Assembled {
  Assembly assembly;
  std::vector<base::Error> errors;
};
/// `zones` outlive the plugins. Counts in the row `number` of `statistics`, which has the shape of `config`.
[[nodiscard]] Assembled assemble(const config::Config& config, log::Log& log, io::EventLoop& loop,
                                 const process::Zones& zones, process::Statistics statistics,
                                 std::uint32_t number);

/// The socket, and what its request may have open: a file, or a connection to an application.
[[nodiscard]] std::size_t descriptors_of_a_connection(const config::Config& config) noexcept;

/// For a configuration with so many workers.
[[nodiscard]] process::Statistics::Shape shape_of(const config::Config& config) noexcept;
[[nodiscard]] process::StatisticsTotals::Names names_of(const config::Config& config);

}  // namespace trivet::host
