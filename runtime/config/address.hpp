#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "runtime/config/load.hpp"

namespace trivet::config {

struct AddressProblem {
  std::string message;
  std::string hint;
};

/// parse_address() with problem and cure apart.
[[nodiscard]] std::variant<Address, AddressProblem> read_address(std::string_view text);

/// The same text for addresses that are one and the same, however they were written.
[[nodiscard]] std::string canonical(const Address& address);

}  // namespace trivet::config
