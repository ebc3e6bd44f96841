#pragma once

#include <chrono>

#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::cli {

/// A connected socket that does not block.
///
/// Errors  Why nobody is reached, with the errno text and what would cure it; also when the connection is not
///         there within `timeout` (a unix socket whose backlog is full makes a client wait without an end).
[[nodiscard]] base::Result<process::FileDescriptor> connect_to(const config::Address& address,
                                                               std::chrono::milliseconds timeout);

}  // namespace trivet::cli
