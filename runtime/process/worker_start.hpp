#pragma once

#include <sys/types.h>

#include "runtime/base/error.hpp"
#include "runtime/process/channel.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::process {

/// Where a worker finds what it was started with.
inline constexpr int control_descriptor = 3;
inline constexpr int board_descriptor = 4;

struct StartedWorker {
  pid_t pid = -1;
  process::FileDescriptor pidfd;  ///< Readable when the process has ended (pidfd_open(2)).
  Channel channel;
};

/// Starts this program again, as a worker: `trivet worker`, with the other end of a channel and the board of
/// shared memory on their fixed descriptors, every other one closed, no signal blocked or ignored. Not fork
/// alone: a process that is a copy would share epoll sets, signal pipes and address layout with its parent.
///
/// Thread  [loop] of the supervisor.
[[nodiscard]] base::Result<StartedWorker> start_worker(int board);

/// How a process that has ended did so; waits for it if need be. Text for a person: `exit code 1`,
/// `signal 11 (Segmentation fault)`.
struct End {
  bool by_signal = false;
  int value = 0;  ///< The exit code, or the signal.
  std::string text;
};
[[nodiscard]] End wait_for(pid_t pid) noexcept;

}  // namespace trivet::process
