#pragma once

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// `trivet call`: one request, its answer on standard output.
[[nodiscard]] int run_call(const CallCommand& command);

}  // namespace trivet::cli
