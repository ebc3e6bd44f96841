#pragma once

#include <trivet/abi.h>

#include <cstdint>

namespace trivet::plugin {

/// What plugins are given: the functions of the host, which check what a plugin passes (null handles, texts
/// without bytes) and forward to the Call or SettingsReader behind the handle. Nothing is thrown into a
/// plugin.
///
/// Thread  As <trivet/abi.h> says for each.
[[nodiscard]] const trivet_host& host_table() noexcept;

/// How many lines plugins logged where no plugin was known to run (on threads of their own, without a
/// request), and were lost.
[[nodiscard]] std::uint64_t ownerless_lines() noexcept;

}  // namespace trivet::plugin
