#pragma once

#include <string>

namespace trivet::cli::snippet {

/// What a web server starts to hand its socket over to the host that listens on `socket` for it: this
/// program, by the path that it runs from.
[[nodiscard]] std::string attach_command(const std::string& socket);

}  // namespace trivet::cli::snippet
