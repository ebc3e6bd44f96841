#include "runtime/host/attach_rules.hpp"

#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "runtime/host/peer_rules.hpp"

namespace trivet::host {
namespace {

base::Result<gid_t> group_id(const std::string& name) {
  std::vector<char> memory(1024);
  group entry{};
  group* found = nullptr;
  int error = 0;
  while ((error = ::getgrnam_r(name.c_str(), &entry, memory.data(), memory.size(), &found)) == ERANGE) {
    memory.resize(memory.size() * 2);
  }
  if (found != nullptr) return entry.gr_gid;
  if (error != 0) return base::system_error("cannot look up the group \"" + name + "\"", error);
  return base::Error{base::ErrorCode::config_invalid, "there is no group \"" + name + "\""};
}

}  // namespace

base::Result<AttachRules> AttachRules::from(const config::Attach& attach) {
  AttachRules rules;
  rules.any_ = true;
  rules.sockets_per_user_ = attach.sockets_per_user;
  for (const std::string& each : attach.allow_users) {
    const auto id = user_id(each);
    if (!id) return id.error();
    rules.users_.push_back(id.value());
  }
  if (attach.group) {
    const auto id = group_id(*attach.group);
    if (!id) return id.error();
    rules.group_ = id.value();
  }
  return rules;
}

bool AttachRules::allow(uid_t user, const std::vector<gid_t>& groups) const noexcept {
  if (!any_ || user == static_cast<uid_t>(-1)) return false;
  if (user == 0 || user == ::geteuid()) return true;
  if (std::find(users_.begin(), users_.end(), user) != users_.end()) return true;
  return group_ && std::find(groups.begin(), groups.end(), *group_) != groups.end();
}

std::vector<gid_t> groups_of_peer(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {};
  std::vector<gid_t> groups(64);
  for (;;) {
    size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      break;
    }
    if (errno != ERANGE) {
      groups.clear();
      break;
    }
    groups.resize(size / sizeof(gid_t));
  }
  groups.push_back(credentials.gid);
  return groups;
}

}  // namespace trivet::host
