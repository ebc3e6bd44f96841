#pragma once

#include <cstdint>
#include <string>

#include "runtime/process/file_descriptor.hpp"

namespace trivet::io {

/// A connection that was begun, without waiting: its socket does not block.
///
/// Over TCP it may still be on its way: until it is there a write would block, and if it does not come about
/// the first write or read fails with the reason.
struct Begun {
  process::FileDescriptor socket;  ///< Open where `error` is 0.
  int error = 0;  ///< errno. EAGAIN: a unix socket's backlog is full; later there may be a place.
};

[[nodiscard]] Begun begin_unix_connection(const std::string& path);
/// `host` is a numeric address, IPv6 without brackets; EINVAL for anything else.
[[nodiscard]] Begun begin_tcp_connection(const std::string& host, std::uint16_t port);

}  // namespace trivet::io
