#pragma once

#include <cstdint>

#include "runtime/process/board.hpp"

namespace trivet::host {

/// Whether the worker of this slot has so many more connections than some other of its generation that one of
/// them should move. Not while the supervisor says that it serves no more.
///
/// Thread  [any]
[[nodiscard]] bool has_more_than_its_share(const process::Board& board, std::uint32_t own) noexcept;

}  // namespace trivet::host
