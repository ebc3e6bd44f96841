#pragma once

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// Asks a running host over its admin socket; what it says goes to standard output and standard error. Waits
/// for as long as the host takes: only to be reached, and to tell its status, it has ten seconds.
///
/// Gives the exit code that the host said, exit_unreachable where there is none, exit_failed where it went
/// without an answer.
int run_admin(const AdminCommand& command);

}  // namespace trivet::cli
