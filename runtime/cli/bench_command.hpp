#pragma once

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// Puts a load on an application and reports. Gives the exit code: exit_failed when a request failed, or none
/// was answered.
[[nodiscard]] int run_bench(const BenchCommand& command);

}  // namespace trivet::cli
