#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "runtime/base/error.hpp"
#include "runtime/io/listener.hpp"
#include "runtime/io/unix_socket_file.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::io {

/// A socket that listens, and the file that goes with it. Private to this floor.
struct ListenDescriptor {
  process::FileDescriptor socket;  ///< Non-blocking, close-on-exec.
  sa_family_t family = AF_UNSPEC;
  std::uint16_t port = 0;  ///< TCP
  UnixSocketFile file;     ///< Empty unless we made it.
};

base::Result<ListenDescriptor> open_listen_descriptor(const ListenOptions& options);

}  // namespace trivet::io
