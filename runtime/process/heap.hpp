#pragma once

namespace trivet::process {

/// Freed memory stays with the process for its next request, up to a bound: by default the C library gives
/// back what is free at the heap's end from 128 KiB on, so that one large answer after the other takes its
/// buffer from the kernel anew, page by page. Blocks that are larger than the bound are given back at once.
///
/// Thread  [startup]
void keep_freed_memory() noexcept;

}  // namespace trivet::process
