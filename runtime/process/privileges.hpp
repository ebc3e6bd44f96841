#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "runtime/base/error.hpp"

/// What a process may do before it runs code of others.
namespace trivet::process {

struct Account {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;  ///< All of them.
};

/// Whether this process already is that user and in that group. Then it stays in the other groups that it is
/// in: whoever started it chose them.
[[nodiscard]] bool is_current(const Account& account) noexcept;

/// Whether this process may become another user: it has CAP_SETUID and CAP_SETGID, as root has.
[[nodiscard]] bool can_change_user() noexcept;

/// Gives up for good what plugins are not to have. Becomes the account, where one is given and it is another:
/// real, effective and saved ids, all groups, and no other process of that user may look into this one
/// (prctl(2), PR_SET_DUMPABLE), which includes /proc/PID. Without root's number no capability is left, in no
/// set. No program that is started from here gets more by its file's mode (PR_SET_NO_NEW_PRIVS).
///
/// Whether a crash leaves a core is the kernel's to say from then on (fs.suid_dumpable: 0, its default, no).
///
/// Thread  [startup], before any other thread: some of it holds for the thread alone that asks.
/// Errors  Where any of it fails, or the way back is open; then the process must not go on.
base::Result<> drop_privileges(const std::optional<Account>& account);

}  // namespace trivet::process
