#pragma once

#include "runtime/base/error.hpp"

namespace trivet::process {

/// Opens /dev/null on each of descriptors 0, 1 and 2 that is closed, so that no socket or file opened later
/// lands there and receives what somebody prints. The first thing main() does; an open one is left alone.
///
/// Thread  [startup], before any other thread.
base::Result<> ensure_standard_descriptors();

}  // namespace trivet::process
