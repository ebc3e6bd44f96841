#pragma once

#include <string>

#include "runtime/base/error.hpp"
#include "runtime/cli/options.hpp"
#include "runtime/config/config.hpp"

namespace trivet::cli {

/// `trivet snippet`: loads the configuration, and writes what a web server needs to know of it to standard
/// output. No plugin is loaded. Gives the exit code.
int run_snippet(const SnippetCommand& command);

/// The text. `command.server` is one of snippet::web_servers().
[[nodiscard]] base::Result<std::string> make_snippet(const config::Config& config,
                                                     const SnippetCommand& command);

}  // namespace trivet::cli
