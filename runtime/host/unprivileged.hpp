#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"
#include "runtime/process/privileges.hpp"

/// `user` and `group` of [server]: plugins run as somebody else than whoever started the host.
///
/// The host keeps its own user for what plugins are not to touch: listening sockets, copies of plugin files,
/// the configuration. The plugins' user can read the copies, write to spool_dir, and open the logs again.
///
/// Thread  [startup], or the loop of a supervisor.
namespace trivet::host {

/// Whether plugins run as another user than this process.
[[nodiscard]] bool changes_user(const config::Server& server) noexcept;

/// Whom a process that loads plugins becomes; nothing where it stays who it is, also because it may not
/// change.
[[nodiscard]] std::optional<process::Account> account_to_become(const config::Server& server);

/// Why the plugins of this configuration cannot be given to their user: this process may not change its own,
/// or that user could put other code where workers load it from. plugin_cache is there.
[[nodiscard]] std::vector<base::Error> refuse_account(const config::Config& config);

/// Lets the plugins' group read what is in a folder of copies, and nobody else. Nothing to do without one.
[[nodiscard]] base::Result<> open_to_readers(const std::string& folder, const config::Server& server);

/// Becomes the plugins' user for good, and tries whether it can do what it has to (process/privileges.hpp).
/// The logs were opened before. Nothing may go on where this gives errors.
[[nodiscard]] std::vector<base::Error> give_up_privileges(const config::Config& config);

}  // namespace trivet::host
