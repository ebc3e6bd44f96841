#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/network.hpp"
#include "runtime/config/address.hpp"

namespace trivet::config {

/// `192.0.2.0/24`, `2001:db8::/32`; an address alone is that one machine.
[[nodiscard]] std::variant<base::Network, AddressProblem> read_network(std::string_view text);

/// FCGI_WEB_SERVER_ADDRS: addresses as four decimal numbers, with commas between them (FastCGI 1.0, 3.2). At
/// least one: a list of nobody is a mistake.
[[nodiscard]] std::variant<std::vector<base::Network>, AddressProblem> read_web_servers(
    std::string_view text);

/// The network as a person writes it.
[[nodiscard]] std::string to_text(const base::Network& network);

}  // namespace trivet::config
