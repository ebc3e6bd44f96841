#pragma once

#include <chrono>
#include <string_view>

#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::cli {

/// What to do where nobody is reached at the address of a [[listen]].
[[nodiscard]] std::string_view cure_of_listener(int error);

/// A connected socket that does not block.
///
/// Errors  Why nobody is reached, with the errno text and what would cure it; also when the connection is not
///         there within `timeout` (a unix socket whose backlog is full makes a client wait without an end).
///         `cure` says what, by errno; it need not.
[[nodiscard]] base::Result<process::FileDescriptor> connect_to(
    const config::Address& address, std::chrono::milliseconds timeout,
    std::string_view (*cure)(int error) = cure_of_listener);

}  // namespace trivet::cli
