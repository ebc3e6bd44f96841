#pragma once

#include <cstddef>

/// The heap of this test program, counted: linking counting_heap.cpp replaces the global operators.
namespace trivet::protocol::heap {

std::size_t allocations() noexcept;  ///< Since the start.
std::size_t live() noexcept;         ///< Allocated and not yet freed.

}  // namespace trivet::protocol::heap
