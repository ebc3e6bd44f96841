#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/base/network.hpp"
#include "runtime/config/config.hpp"
#include "runtime/io/peer.hpp"

namespace trivet::host {

/// Of a user by name or number. Errors: there is none.
base::Result<uid_t> user_id(const std::string& name);

/// Who may connect to a listener. Everything that was said has to hold: `allow_users`, `allow_from`, and
/// FCGI_WEB_SERVER_ADDRS (FastCGI 1.0, 3.2).
///
/// Thread  [any] after it was made.
class PeerRules {
 public:
  /// Looks the users up. Errors: a user that does not exist, a rule that does not fit the kind of socket, and
  /// a TCP socket that is no loopback one without any rule.
  static base::Result<PeerRules> from(const config::Listen& listen,
                                      const std::optional<std::vector<base::Network>>& web_servers,
                                      const std::optional<base::IpAddress>& bound);

  /// Why this peer may not connect; empty if it may.
  [[nodiscard]] std::string_view refusal(const io::Peer& peer) const noexcept;

 private:
  std::vector<uid_t> users_;
  std::vector<base::Network> from_;
  std::optional<std::vector<base::Network>> web_servers_;
};

}  // namespace trivet::host
