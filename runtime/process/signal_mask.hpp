#pragma once

#include "runtime/base/error.hpp"

namespace trivet::process {

/// Writing to a peer that is gone, or past a file size limit, gives an errno (EPIPE, EFBIG) instead of ending
/// the process: ignores SIGPIPE and SIGXFSZ. [startup]
base::Result<> ignore_sigpipe();

}  // namespace trivet::process
