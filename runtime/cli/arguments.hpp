#pragma once

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// Reads the command line. Help goes to standard output, what is wrong to standard error.
[[nodiscard]] Command read_arguments(int argc, const char* const* argv);

}  // namespace trivet::cli
