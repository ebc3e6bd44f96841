#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/cli/options.hpp"

namespace trivet::cli::bench {

/// The parameters that nginx sends for a browser's request (its fastcgi_params and SCRIPT_FILENAME), with
/// those of -p. Of an authorizer those of the request without its body's.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> bench_params(const BenchCommand& command);

}  // namespace trivet::cli::bench
