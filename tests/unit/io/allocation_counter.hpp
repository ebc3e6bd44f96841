#pragma once

#include <cstddef>

namespace trivet::io {

/// How often this thread has called operator new.
std::size_t allocations() noexcept;

}  // namespace trivet::io
