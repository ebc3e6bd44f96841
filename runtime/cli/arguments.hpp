#pragma once

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// Reads the command line. Help and version go to standard output; what is wrong goes to standard error, with
/// what was probably meant, and gives exit_usage.
[[nodiscard]] Command read_arguments(int argc, const char* const* argv);

}  // namespace trivet::cli
