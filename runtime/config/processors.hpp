#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace trivet::config {

/// How many processors this process may use at once, at least 1: those that it may run on
/// (sched_setaffinity(2)), and no more than its control group has time for (cpu.max, rounded up).
///
/// Thread  [startup], or the one thread of a supervisor.
[[nodiscard]] std::uint32_t usable_processors();

/// What a control group's cpu.max allows: `QUOTA PERIOD`, or `max PERIOD`, which is no bound.
[[nodiscard]] std::optional<std::uint32_t> processors_of_quota(std::string_view text) noexcept;

/// The folder of a version 2 control group in what /proc/self/cgroup says, such as `/system.slice/x.service`.
[[nodiscard]] std::optional<std::string_view> control_group_of(std::string_view text) noexcept;

}  // namespace trivet::config
