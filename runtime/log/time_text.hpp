#pragma once

#include <array>
#include <chrono>

namespace trivet::log {

/// `2026-11-23T09:15:27.123Z`
using TimeText = std::array<char, 24>;
/// Where the milliseconds stand in it.
inline constexpr std::size_t milliseconds_at = 20;

[[nodiscard]] TimeText time_text(std::chrono::system_clock::time_point time) noexcept;

}  // namespace trivet::log
