#pragma once

#include <optional>
#include <string_view>

#include "runtime/config/sink.hpp"

namespace trivet::config {

/// The document as a tree; nothing where `text` is not TOML, then the first error is in `sink`. Every place
/// in it is in `file`. The only user of the TOML library.
///
/// Memory    Depth is bounded before the library sees the text: it recurses once per level without a bound of
/// its own
///           for dotted keys, and ends the process where the stack ends.
[[nodiscard]] std::optional<Table> parse_toml(std::string_view text, Sink& sink, std::uint16_t file = 0);

}  // namespace trivet::config
