#pragma once

#include <string>
#include <string_view>

namespace trivet::cli {

/// Writes all of `text`, waiting where the reader is slow, also when the descriptor does not block.
///
/// Errors  False, with errno: the disk is full, the reader is gone.
[[nodiscard]] bool write_all(int descriptor, std::string_view text);

/// One message on standard error: `trivet: TEXT`.
void say(const std::string& text);

}  // namespace trivet::cli
