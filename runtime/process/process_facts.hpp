#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace trivet::process {

/// What the kernel says of a process, from /proc.
struct ProcessFacts {
  /// Somebody stopped it, by a signal or a debugger: it does nothing, and that is not its fault.
  bool is_stopped = false;
  std::uint64_t resident = 0;  ///< Bytes of memory that it holds.
};

/// Nothing where there is no such process, or no /proc.
[[nodiscard]] std::optional<ProcessFacts> look_at(pid_t pid);

}  // namespace trivet::process
