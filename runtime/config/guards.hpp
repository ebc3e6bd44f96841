#pragma once

#include <functional>
#include <vector>

#include "runtime/config/config.hpp"

namespace trivet::config {

/// How deep groups of guards may stand in one another; the list of a route is the first.
inline constexpr std::size_t deepest_guards = 8;

/// Whether the guard can change what becomes of a request: it is no shadow, nor a group of nothing else.
[[nodiscard]] bool decides(const Guard& guard) noexcept;
[[nodiscard]] bool some_decide(const std::vector<Guard>& guards) noexcept;

}  // namespace trivet::config
