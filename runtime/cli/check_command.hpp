#pragma once

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// `trivet check`: every diagnostic, as text on standard error or as JSON on standard output.
[[nodiscard]] int run_check(const CheckCommand& command);

}  // namespace trivet::cli
