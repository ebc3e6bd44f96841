#include "runtime/cli/call_address.hpp"

#include <sys/un.h>

#include "runtime/config/load.hpp"
#include "runtime/config/text.hpp"

namespace trivet::cli {
namespace {

using Read = std::variant<config::Address, std::string>;

constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

std::string refused(std::string_view text, const std::string& why) {
  return config::in_quotes(text) + why + "; give unix:PATH or tcp:HOST:PORT";
}

Read unix_address(std::string_view text, std::string_view path) {
  if (path.empty()) return refused(text, " names no path");
  if (path.size() > longest_path) {
    return refused(text, " is too long: the path has " + std::to_string(path.size()) +
                             " bytes, a unix socket has room for " + std::to_string(longest_path) +
                             " (a path relative to this folder may be shorter)");
  }
  return config::UnixAddress{std::string(path)};
}

Read tcp_address(std::string_view rest) {
  constexpr std::string_view local = "localhost:";
  if (rest.starts_with(local)) {
    return config::parse_address("tcp:127.0.0.1:" + std::string(rest.substr(local.size())));
  }
  return config::parse_address("tcp:" + std::string(rest));
}

}  // namespace

Read call_address(std::string_view text) {
  constexpr std::string_view unix_kind = "unix:";
  constexpr std::string_view tcp_kind = "tcp:";
  if (text.starts_with(unix_kind)) return unix_address(text, text.substr(unix_kind.size()));
  if (text.starts_with(tcp_kind)) return tcp_address(text.substr(tcp_kind.size()));
  if (text.starts_with('/') || text.starts_with("./") || text.starts_with("../")) {
    return unix_address(text, text);
  }
  if (Read tcp = tcp_address(text); std::holds_alternative<config::Address>(tcp)) return tcp;
  if (text.starts_with("fd:") || text.starts_with("systemd:")) {
    return refused(text, " is where a host listens, not where a client connects");
  }
  return refused(text, " is not an address");
}

}  // namespace trivet::cli
