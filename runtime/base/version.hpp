#pragma once

#include <string_view>

namespace trivet::base {

/// As in the project() line of CMakeLists.txt; a test compares them.
inline constexpr std::string_view version = "0.1.0";

}  // namespace trivet::base
