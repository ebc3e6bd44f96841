#pragma once

#include <vector>

#include "runtime/config/load.hpp"

namespace trivet::cli {

/// What keeps the plugins of a configuration from running, as far as their files say it; with `load` also
/// what they say themselves: each is loaded, its instances are made and destroyed, in a process of its own,
/// so that one that crashes is told as such and the others are still looked at.
///
/// Thread  The only one of the process, for `load` forks.
[[nodiscard]] std::vector<config::Diagnostic> check_plugins(const config::Config& config, bool load);

}  // namespace trivet::cli
