#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"
#include "runtime/log/log.hpp"
#include "runtime/plugin/plugin.hpp"
#include "runtime/roles/router.hpp"

namespace trivet::host {

/// The plugins of a configuration, started, and the routes that use them.
///
/// Lifetime  Plugins outlive the routes, and every request.
struct Assembly {
  std::vector<std::unique_ptr<plugin::Plugin>> plugins;
  std::unique_ptr<roles::Router> router;
};

/// Starts every plugin and joins the routes with them. All that is wrong is told at once: a plugin that does
/// not load, one that is used in a role that it has not. [startup]
struct Assembled {
  Assembly assembly;
  std::vector<base::Error> errors;
};
/// `zones` outlive the plugins.
[[nodiscard]] Assembled assemble(const config::Config& config, log::Log& log, const process::Zones& zones);

}  // namespace trivet::host
