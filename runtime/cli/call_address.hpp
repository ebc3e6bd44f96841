#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "runtime/config/config.hpp"

namespace trivet::cli {

/// Where `trivet call` connects: unix:PATH or tcp:HOST:PORT as in a configuration, and what a person at a
/// shell would type besides: a relative path, a path that begins with `/`, `./` or `../`, HOST:PORT, and
/// `localhost` (127.0.0.1). Other host names are not looked up.
///
/// Errors  A text that says what is wrong, and what is accepted.
[[nodiscard]] std::variant<config::Address, std::string> call_address(std::string_view text);

}  // namespace trivet::cli
