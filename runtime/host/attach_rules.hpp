#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"

namespace trivet::host {

/// Who may attach sockets: root, the user of this process, those of `allow_users`, and who is in `group`.
///
/// Thread  [any] after it was made.
class AttachRules {
 public:
  /// Nobody may.
  AttachRules() = default;
  /// Looks users and group up. Errors: there is none of a name.
  static base::Result<AttachRules> from(const config::Attach& attach);

  [[nodiscard]] bool allow(uid_t user, const std::vector<gid_t>& groups) const noexcept;
  [[nodiscard]] std::uint32_t sockets_per_user() const noexcept { return sockets_per_user_; }

 private:
  bool any_ = false;
  std::vector<uid_t> users_;
  std::optional<gid_t> group_;
  std::uint32_t sockets_per_user_ = 0;
};

/// All groups that the other end of a unix connection was in when it connected.
[[nodiscard]] std::vector<gid_t> groups_of_peer(int socket);

}  // namespace trivet::host
