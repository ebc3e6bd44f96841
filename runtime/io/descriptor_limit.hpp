#pragma once

#include <sys/resource.h>

#include <cstddef>

#include "runtime/base/error.hpp"

namespace trivet::io {

/// Descriptors kept for everything that is not a connection that is served: files, plugins' own sockets,
/// spools, and the connections of one message from another worker (253) that are not counted yet.
inline constexpr std::size_t reserved_descriptors = 512;

/// How many connections fit under a hard limit, where each takes `each` descriptors (its socket, and the file
/// that is sent on it): `wanted`, or what the limit leaves after the reserve (half of a limit that is too
/// small for the reserve).
[[nodiscard]] std::size_t connections_within(std::size_t wanted, rlim_t hard_limit,
                                             std::size_t each = 1) noexcept;

/// Raises the soft limit of descriptors as far as `wanted` connections need and the hard limit allows, never
/// lowers it. The value is how many connections may be open: less than `wanted` deserves a warning. [startup]
base::Result<std::size_t> raise_descriptor_limit(std::size_t wanted, std::size_t each = 1);

}  // namespace trivet::io
