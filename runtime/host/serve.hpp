#pragma once

#include <string>

#include "runtime/config/load.hpp"

namespace trivet::host {

struct ServeOptions {
  std::string config_file;
  config::Overrides overrides;
};

/// `trivet serve`: loads the configuration and every plugin, opens the listeners, writes one `ready` line to
/// the log, answers until a signal ends it. Spawned, and told nothing else by --listen or --processes, it
/// listens on descriptor 0 alone, keeps its files in a folder of its own, and stops within 5 s, since the web
/// server kills it soon after. Gives the exit code (0, 70, 78, ...); everything that went wrong was told on
/// standard error.
/// The caller has seen to the standard streams and to SIGPIPE (process/standard_streams.hpp,
/// signal_mask.hpp).
int serve(const ServeOptions& options);

}  // namespace trivet::host
