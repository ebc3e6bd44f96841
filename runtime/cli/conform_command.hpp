#pragma once

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// `trivet conform`: a catalogue of good, odd and hostile requests against any FastCGI application. One line
/// per case on standard output, then totals.
///
/// Errors  exit_failed when a case failed, exit_unreachable when nobody answers, exit_usage for a wrong
/// address or
///         the name of no case.
[[nodiscard]] int run_conform(const ConformCommand& command);

}  // namespace trivet::cli
