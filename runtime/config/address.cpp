#include "runtime/config/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <optional>

#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

using Read = std::variant<Address, AddressProblem>;

constexpr std::size_t longest_unix_path = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::string_view accepted = "accepted: unix:/PATH, tcp:ADDRESS:PORT, fd:NUMBER, systemd:NAME";

std::optional<unsigned> parse_number(std::string_view digits, unsigned most) {
  if (digits.empty() || digits.size() > 9) return std::nullopt;
  unsigned number = 0;
  for (const char each : digits) {
    if (each < '0' || each > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(each - '0');
  }
  return number <= most ? std::optional(number) : std::nullopt;
}

Read read_unix(std::string_view text, std::string_view path) {
  if (path.starts_with("//")) path.remove_prefix(1);
  if (path.empty() || path.front() != '/') {
    return AddressProblem{in_quotes(text) + " does not name an absolute path",
                          "unix:/run/trivet/trivet.sock, say"};
  }
  if (path.back() == '/' || path.ends_with("/.") || path.ends_with("/..")) {
    return AddressProblem{in_quotes(text) + " names a folder", "name the socket in it"};
  }
  if (path.size() > longest_unix_path) {
    return AddressProblem{in_quotes(text) + " is too long: the path has " + std::to_string(path.size()) +
                              " bytes, a unix socket has room for " + std::to_string(longest_unix_path),
                          {}};
  }
  return UnixAddress{std::string(path)};
}

/// Fills in how the kernel would write the address, and whether only this machine reaches it.
bool read_numeric(const std::string& host, bool bracketed, TcpAddress& out) {
  std::array<char, INET6_ADDRSTRLEN> written{};
  in_addr four{};
  if (!bracketed && inet_pton(AF_INET, host.c_str(), &four) == 1) {
    out.loopback = (ntohl(four.s_addr) >> 24U) == 127;
    out.host = inet_ntop(AF_INET, &four, written.data(), written.size());
    return true;
  }
  in6_addr six{};
  if (bracketed && inet_pton(AF_INET6, host.c_str(), &six) == 1) {
    out.loopback = IN6_IS_ADDR_LOOPBACK(&six);
    out.host = inet_ntop(AF_INET6, &six, written.data(), written.size());
    return true;
  }
  return false;
}

Read read_tcp(std::string_view text, std::string_view rest) {
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || rest.ends_with(']')) {
    return AddressProblem{in_quotes(text) + " has no port", "tcp:127.0.0.1:9000, say"};
  }
  std::string_view host = rest.substr(0, colon);
  const std::string_view port_text = rest.substr(colon + 1);
  const auto port = parse_number(port_text, 65535);
  if (!port || *port == 0) {
    return AddressProblem{
        in_quotes(text) + ": the port " + in_quotes(port_text) + " is not a number from 1 to 65535", {}};
  }
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  TcpAddress address;
  address.port = static_cast<std::uint16_t>(*port);
  if (read_numeric(std::string(host), bracketed, address)) return address;
  std::string hint;
  if (host == "localhost") hint = "did you mean \"tcp:127.0.0.1:" + std::string(port_text) + "\"?";
  TcpAddress six;
  if (!bracketed && read_numeric(std::string(host), true, six)) {
    hint = "did you mean \"tcp:[" + std::string(host) + "]:" + std::string(port_text) + "\"?";
  }
  return AddressProblem{in_quotes(text) + ": " + in_quotes(host) + " is not a numeric address",
                        std::move(hint)};
}

Read read_descriptor(std::string_view text, std::string_view rest) {
  const auto number = parse_number(rest, 1'048'575);
  if (!number)
    return AddressProblem{in_quotes(text) + ": " + in_quotes(rest) + " is not the number of a descriptor",
                          {}};
  if (*number == 1 || *number == 2) {
    return AddressProblem{in_quotes(text) + " is standard output or standard error, not a listening socket",
                          {}};
  }
  return DescriptorAddress{static_cast<int>(*number)};
}

Read read_systemd(std::string_view text, std::string_view name) {
  // What systemd takes for FileDescriptorName=.
  const bool plain = std::none_of(name.begin(), name.end(), [](char each) { return each == ':'; });
  if (name.empty() || name.size() > 255 || !plain) {
    return AddressProblem{in_quotes(text) + ": " + in_quotes(name) + " is not the name of a socket",
                          "systemd:web, with FileDescriptorName=web in the .socket unit"};
  }
  return SystemdAddress{std::string(name)};
}

struct Canonical {
  std::string operator()(const UnixAddress& address) const {
    return "unix:" + std::filesystem::path(address.path).lexically_normal().string();
  }
  std::string operator()(const TcpAddress& address) const {
    return "tcp:[" + address.host + "]:" + std::to_string(address.port);
  }
  std::string operator()(const DescriptorAddress& address) const {
    return "fd:" + std::to_string(address.descriptor);
  }
  std::string operator()(const SystemdAddress& address) const { return "systemd:" + address.name; }
  std::string operator()(const AttachedAddress& /*address*/) const { return "attached"; }
};

}  // namespace

Read read_address(std::string_view text) {
  const bool plain = std::none_of(text.begin(), text.end(), [](char each) {
    return static_cast<unsigned char>(each) < 0x20 || each == 0x7F;
  });
  if (!plain) return AddressProblem{in_quotes(text) + " holds a control character", {}};
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (colon != std::string_view::npos) {
    if (kind == "unix") return read_unix(text, rest);
    if (kind == "tcp") return read_tcp(text, rest);
    if (kind == "fd") return read_descriptor(text, rest);
    if (kind == "systemd") return read_systemd(text, rest);
  }
  std::string hint(accepted);
  if (text.starts_with('/')) {
    hint = "did you mean " + in_quotes("unix:" + std::string(text)) + "?";
  } else if (read_tcp(text, text).index() == 0) {
    hint = "did you mean " + in_quotes("tcp:" + std::string(text)) + "?";
  } else if (const auto meant = closest(kind, {"unix", "tcp", "fd", "systemd"}); meant && !rest.empty()) {
    hint = "did you mean " + in_quotes(std::string(*meant) + ':' + std::string(rest)) + "?";
  }
  return AddressProblem{in_quotes(text) + " is not an address", std::move(hint)};
}

std::string canonical(const Address& address) { return std::visit(Canonical{}, address); }

std::variant<Address, std::string> parse_address(std::string_view text) {
  Read read = read_address(text);
  if (auto* address = std::get_if<Address>(&read)) return std::move(*address);
  const auto& problem = std::get<AddressProblem>(read);
  return problem.message + "; " + (problem.hint.empty() ? std::string(accepted) : problem.hint);
}

}  // namespace trivet::config
