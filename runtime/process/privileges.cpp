#include "runtime/process/privileges.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

namespace trivet::process {
namespace {

using base::Result;
using base::success;
using base::system_error;

/// The kernel's interface: libcap would do no more, and be one more library.
class Capabilities {
 public:
  static Result<Capabilities> read() {
    Capabilities found;
    if (::syscall(SYS_capget, &found.header_, found.sets_.data()) != 0)
      return system_error("cannot read the capabilities of this process", errno);
    return found;
  }
  /// None in any set.
  static Result<> clear() {
    Capabilities none;
    if (::syscall(SYS_capset, &none.header_, none.sets_.data()) != 0)
      return system_error("cannot give up the capabilities of this process", errno);
    return success();
  }

  [[nodiscard]] bool has(unsigned capability) const noexcept {
    return (sets_[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)) != 0;
  }
  [[nodiscard]] bool any() const noexcept {
    for (const __user_cap_data_struct& each : sets_) {
      if ((each.effective | each.permitted | each.inheritable) != 0) return true;
    }
    return false;
  }

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets_{};
};

/// What no program that is started later can get. Needs CAP_SETPCAP, which a container may not have given:
/// then the empty sets and PR_SET_NO_NEW_PRIVS do.
void empty_the_bounding_set() noexcept {
  for (unsigned long each = 0; ::prctl(PR_CAPBSET_READ, each, 0, 0, 0) >= 0; ++each)
    static_cast<void>(::prctl(PR_CAPBSET_DROP, each, 0, 0, 0));
}

Result<> become(const Account& account) {
  const auto refused = [&](const char* what) {
    return system_error("cannot become the user " + std::to_string(account.user) + " (" + what + ")", errno);
  };
  if (::setgroups(account.groups.size(), account.groups.data()) != 0) return refused("setgroups");
  if (::setresgid(account.group, account.group, account.group) != 0) return refused("setresgid");
  if (::setresuid(account.user, account.user, account.user) != 0) return refused("setresuid");
  return success();
}

Result<> clear_capabilities() {
  static_cast<void>(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
  const auto own = Capabilities::read();
  if (!own) return own.error();
  if (!own.value().any()) return success();  // A service manager's filter may forbid capset(2).
  if (auto cleared = Capabilities::clear(); !cleared) return cleared;
  const auto left = Capabilities::read();
  if (!left) return left.error();
  if (left.value().any()) return system_error("capabilities of this process are left", EPERM);
  return success();
}

/// Tries what must not be possible.
bool can_go_back(uid_t user, gid_t group) noexcept {
  constexpr auto same_user = static_cast<uid_t>(-1);
  constexpr auto same_group = static_cast<gid_t>(-1);
  return (user != ::geteuid() && ::setresuid(same_user, user, same_user) == 0) ||
         (group != ::getegid() && ::setresgid(same_group, group, same_group) == 0) ||
         ::setresuid(same_user, 0, same_user) == 0 || ::setgroups(0, nullptr) == 0;
}

}  // namespace

bool is_current(const Account& account) noexcept {
  return account.user == ::getuid() && account.user == ::geteuid() && account.group == ::getgid() &&
         account.group == ::getegid();
}

bool can_change_user() noexcept {
  const auto own = Capabilities::read();
  return own && own.value().has(CAP_SETUID) && own.value().has(CAP_SETGID);
}

Result<> drop_privileges(const std::optional<Account>& account) {
  const bool changes = account && !is_current(*account);
  const uid_t old_user = ::geteuid();
  const gid_t old_group = ::getegid();
  const bool is_root = (changes ? account->user : old_user) == 0;
  if (!is_root) empty_the_bounding_set();
  if (changes) {
    if (auto became = become(*account); !became) return became;
  }
  if (!is_root) {
    if (auto cleared = clear_capabilities(); !cleared) return cleared;
    if (can_go_back(old_user, old_group)) return system_error("the change of user could be undone", EPERM);
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_error("cannot set no_new_privs", errno);
  // The kernel has seen to it, unless fs.suid_dumpable says otherwise; 2 keeps cores for root.
  if (changes && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 && ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return system_error("cannot hide the memory of this process", errno);
  return success();
}

}  // namespace trivet::process
