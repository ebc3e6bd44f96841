#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/cgi/verdict.hpp"

namespace trivet::roles {

/// A verdict and its reason in one block. Nothing where it takes more than `most` bytes.
[[nodiscard]] std::optional<std::string> pack(const cgi::Verdict& verdict, std::string_view reason,
                                              std::size_t most);
/// The same again. `packed` is what pack() made.
void unpack(std::string_view packed, cgi::Verdict& verdict, std::string& reason);

}  // namespace trivet::roles
