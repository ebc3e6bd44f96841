#pragma once

#include <string>

#include "runtime/config/load.hpp"

namespace trivet::host {

struct ServeOptions {
  std::string config_file;
  config::Overrides overrides;
};

/// `trivet serve`: loads the configuration and every plugin, opens the listeners, writes one `ready` line to
/// the log, answers until a signal ends it. Gives the exit code (0, 70, 78, ...); everything that went wrong
/// was told on standard error.
int serve(const ServeOptions& options);

}  // namespace trivet::host
