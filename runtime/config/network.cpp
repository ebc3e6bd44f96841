#include "runtime/config/network.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <optional>

#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

std::optional<base::IpAddress> read_ip(const std::string& text) {
  in_addr four{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) {
    return base::IpAddress::v4(reinterpret_cast<const std::uint8_t*>(&four));  // NOLINT: in network order
  }
  in6_addr six{};
  if (inet_pton(AF_INET6, text.c_str(), &six) == 1) return base::IpAddress::v6(&six.s6_addr[0]);
  return std::nullopt;
}

std::optional<unsigned> read_prefix(std::string_view digits, unsigned most) {
  if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits.front() == '0'))
    return std::nullopt;
  unsigned number = 0;
  for (const char each : digits) {
    if (each < '0' || each > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(each - '0');
  }
  return number <= most ? std::optional(number) : std::nullopt;
}

void clear_after_prefix(base::Network& network) {
  for (unsigned bit = network.prefix; bit < 128; ++bit) {
    network.address.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  }
}

}  // namespace

std::variant<base::Network, AddressProblem> read_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  std::string_view host = text.substr(0, slash);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = read_ip(std::string(host));
  if (!address) {
    return AddressProblem{in_quotes(text) + " is neither a numeric address nor a network",
                          "\"192.0.2.7\", \"192.0.2.0/24\" or \"2001:db8::/32\", say"};
  }
  const unsigned most = address->six ? 128 : 32;
  base::Network network{*address, most};
  if (slash == std::string_view::npos) return network;
  const auto prefix = read_prefix(text.substr(slash + 1), most);
  if (!prefix) {
    return AddressProblem{in_quotes(text) + ": " + in_quotes(text.substr(slash + 1)) +
                              " is not a number of bits from 0 to " + std::to_string(most),
                          {}};
  }
  network.prefix = *prefix;
  if (!network.is_canonical()) {
    base::Network meant = network;
    clear_after_prefix(meant);
    return AddressProblem{in_quotes(text) + " has bits set after the first " + std::to_string(*prefix),
                          "did you mean " + in_quotes(to_text(meant)) + "?"};
  }
  return network;
}

std::variant<std::vector<base::Network>, AddressProblem> read_web_servers(std::string_view text) {
  std::vector<base::Network> networks;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    const std::string item(text.substr(from, comma - from));
    in_addr four{};
    if (inet_pton(AF_INET, item.c_str(), &four) != 1) {
      return AddressProblem{in_quotes(text) + ": " + in_quotes(item) + " is not an IPv4 address",
                            "\"199.170.183.28,199.170.183.71\", say; or unset it to allow every peer"};
    }
    networks.push_back({base::IpAddress::v4(reinterpret_cast<const std::uint8_t*>(&four)), 32});  // NOLINT
    from = comma + 1;
  }
  return networks;
}

std::string to_text(const base::Network& network) {
  std::array<char, INET6_ADDRSTRLEN> written{};
  inet_ntop(network.address.six ? AF_INET6 : AF_INET, network.address.bytes.data(), written.data(),
            written.size());
  return std::string(written.data()) + '/' + std::to_string(network.prefix);
}

}  // namespace trivet::config
