#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace trivet::host {

/// Numbers with a blank between them; nothing where it is anything else.
[[nodiscard]] std::optional<std::vector<std::uint32_t>> read_numbers(std::string_view text);

}  // namespace trivet::host
