#pragma once

#include <string>

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// Tells what is wrong with the command line and where help is. `command` is its name and `: `, or empty.
Finished usage(const std::string& command, const std::string& text);

}  // namespace trivet::cli
