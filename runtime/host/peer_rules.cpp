#include "runtime/host/peer_rules.hpp"

#include <pwd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace trivet::host {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

bool holds(const std::vector<base::Network>& networks, const base::IpAddress& address) noexcept {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const base::Network& each) { return each.contains(address); });
}

}  // namespace

Result<uid_t> user_id(const std::string& name) {
  uid_t number = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  // The highest one means nobody knows who.
  if (read.ec == std::errc() && read.ptr == name.data() + name.size() && number != static_cast<uid_t>(-1)) {
    return number;
  }
  std::vector<char> memory(1024);
  passwd entry{};
  passwd* found = nullptr;
  int error = 0;
  while ((error = ::getpwnam_r(name.c_str(), &entry, memory.data(), memory.size(), &found)) == ERANGE) {
    memory.resize(memory.size() * 2);
  }
  if (found != nullptr) return entry.pw_uid;
  if (error != 0) return base::system_error("cannot look up the user \"" + name + "\"", error);
  return Error{ErrorCode::config_invalid, "there is no user \"" + name + "\" (allow_users)"};
}

Result<PeerRules> PeerRules::from(const config::Listen& listen,
                                  const std::optional<std::vector<base::Network>>& web_servers,
                                  const std::optional<base::IpAddress>& bound) {
  PeerRules rules;
  if (bound && !listen.allow_users.empty()) {
    return Error{ErrorCode::config_invalid, "`allow_users` is for unix sockets, and this is a TCP one"};
  }
  if (!bound && !listen.allow_from.empty()) {
    return Error{ErrorCode::config_invalid, "`allow_from` is for TCP sockets, and this is a unix one"};
  }
  if (bound && !bound->is_loopback() && listen.allow_from.empty() && !web_servers) {
    return Error{ErrorCode::config_invalid,
                 "it is not bound to a loopback address: say by `allow_from` who may connect"};
  }
  for (const std::string& each : listen.allow_users) {
    const Result<uid_t> id = user_id(each);
    if (!id) return id.error();
    rules.users_.push_back(id.value());
  }
  rules.from_ = listen.allow_from;
  rules.web_servers_ = web_servers;
  return rules;
}

std::string_view PeerRules::refusal(const io::Peer& peer) const noexcept {
  if (!users_.empty() && (!peer.local || std::find(users_.begin(), users_.end(), peer.uid) == users_.end())) {
    return "its user is not in allow_users";
  }
  if (!from_.empty() && (!peer.address || !holds(from_, *peer.address))) {
    return "its address is not in allow_from";
  }
  if (web_servers_ && (!peer.address || !holds(*web_servers_, *peer.address))) {
    return "it is not in FCGI_WEB_SERVER_ADDRS";
  }
  return {};
}

}  // namespace trivet::host
