#include "runtime/host/unprivileged.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "runtime/host/spool_store.hpp"
#include "runtime/plugin/trust.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::host {
namespace {

process::Account account_of(const config::Account& from) {
  return {from.user, from.group, {from.groups.begin(), from.groups.end()}};
}

std::string at(const config::Account& account) {
  return account.place.file + ":" + std::to_string(account.place.line) + ":" +
         std::to_string(account.place.column) + ": ";
}

base::Error error_at(const config::Account& account, const std::string& what) {
  return {base::ErrorCode::config_invalid, at(account) + "user \"" + account.name + "\": " + what};
}

base::Result<> open_one(const std::string& path, gid_t group, mode_t mode) {
  if (::lchown(path.c_str(), static_cast<uid_t>(-1), group) != 0 || ::chmod(path.c_str(), mode) != 0)
    return base::system_error("cannot give the group of the plugins' user \"" + path + "\"", errno);
  return base::success();
}

constexpr std::string_view file_target = "file:";

/// A log that was opened as another user, and could not be after a rotation.
void try_log(const config::Account& account, const char* key, const std::string& target,
             std::vector<base::Error>& errors) {
  if (!target.starts_with(file_target)) return;
  const std::string path = target.substr(file_target.size());
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0) return;
  errors.push_back(error_at(account, std::string(key) + " \"" + path +
                                         "\" could not be opened again by this user after a rotation: " +
                                         std::generic_category().message(errno) +
                                         ": give it the file (chown), and let it pass the "
                                         "folders above"));
}

}  // namespace

bool changes_user(const config::Server& server) noexcept {
  return server.account && !process::is_current(account_of(*server.account));
}

std::optional<process::Account> account_to_become(const config::Server& server) {
  if (!changes_user(server) || !process::can_change_user()) return std::nullopt;
  return account_of(*server.account);
}

std::vector<base::Error> refuse_account(const config::Config& config) {
  if (!changes_user(config.server)) return {};
  const config::Account& account = *config.server.account;
  if (!process::can_change_user()) {
    return {error_at(account, "this host runs as user " + std::to_string(::geteuid()) +
                                  " and may not become another one: start it as root, or as that user, or "
                                  "leave `user` out")};
  }
  const std::string& cache = config.server.plugin_cache;
  const process::FileDescriptor folder(::open(cache.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (const std::string refused = plugin::refuse_writers(cache, folder.get(), 0); !refused.empty())
    return {error_at(account, "plugin_cache, from which its plugins are loaded, " + refused)};
  return {};
}

base::Result<> open_to_readers(const std::string& folder, const config::Server& server) {
  if (!changes_user(server)) return base::success();
  constexpr mode_t folder_mode = 0750;
  constexpr mode_t file_mode = 0550;
  const gid_t group = server.account->group;
  std::error_code error;
  for (const auto& each : std::filesystem::directory_iterator(folder, error)) {
    if (!each.is_regular_file(error)) continue;
    if (auto opened = open_one(each.path().string(), group, file_mode); !opened) return opened;
  }
  return open_one(folder, group, folder_mode);
}

std::vector<base::Error> give_up_privileges(const config::Config& config) {
  const std::optional<config::Account>& wanted = config.server.account;
  const bool changes = changes_user(config.server);
  std::optional<process::Account> account;
  if (wanted) account = account_of(*wanted);
  if (const auto dropped = process::drop_privileges(account); !dropped) {
    if (wanted) return {error_at(*wanted, dropped.error().message)};
    return {dropped.error()};
  }
  if (!changes) return {};
  std::vector<base::Error> errors;
  if (const auto spool = SpoolFolder(config.spool_dir, 0).probe(); !spool) {
    errors.push_back(error_at(*wanted, "spool_dir: " + spool.error().message +
                                           ": give it the folder (chown), or name another one"));
  }
  for (const config::Plugin& each : config.plugins) {
    if (each.copy.empty() || ::faccessat(AT_FDCWD, each.copy.c_str(), R_OK, AT_EACCESS) == 0) continue;
    errors.push_back(error_at(*wanted, "plugin_cache \"" + config.server.plugin_cache +
                                           "\" cannot be read by this "
                                           "user: " +
                                           std::generic_category().message(errno) +
                                           ": let everybody pass it and the folders above (chmod a+x)"));
    break;
  }
  try_log(*wanted, "log.target", config.log.target, errors);
  try_log(*wanted, "log.access", config.log.access, errors);
  return errors;
}

}  // namespace trivet::host
