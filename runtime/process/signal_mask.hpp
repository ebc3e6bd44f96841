#pragma once

#include <csignal>

#include "runtime/base/error.hpp"

namespace trivet::process {

/// Writing to a peer that is gone, or past a file size limit, gives an errno (EPIPE, EFBIG) instead of ending
/// the process: ignores SIGPIPE and SIGXFSZ. [startup]
base::Result<> ignore_sigpipe();

/// From now on the signals that end, reload or upgrade a host wait for ever in the calling thread: for the
/// time between the loop's end and the process's, in which one more SIGTERM must not change the exit code.
/// [loop]
void hold_signals() noexcept;

/// Lets them come again: also after an exec that another image of this program did while it held them. [loop]
void release_signals() noexcept;

/// For a time in which such a signal would leave something behind: it waits until the end of this object.
/// [startup]
class HeldSignals {
 public:
  HeldSignals() noexcept;
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace trivet::process
