#pragma once

#include <string>

#include "runtime/cli/options.hpp"
#include "runtime/config/config.hpp"

namespace trivet::cli {

/// `trivet explain`: loads the configuration, and tells on standard output what would become of a request. No
/// plugin is loaded. Gives the exit code: 0 when a route takes it, 1 when it would be refused.
int run_explain(const ExplainCommand& command);

/// The text, and whether a route takes the request.
struct Explanation {
  std::string text;
  bool taken = false;
};
/// `command.listener` is a name of `config`, or empty.
[[nodiscard]] Explanation explain(const config::Config& config, const ExplainCommand& command);

}  // namespace trivet::cli
