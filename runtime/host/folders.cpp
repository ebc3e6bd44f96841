#include "runtime/host/folders.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "runtime/host/spool_store.hpp"
#include "runtime/host/unprivileged.hpp"
#include "runtime/plugin/private_copy.hpp"

namespace trivet::host {
namespace {

/// Missing ones on the way are open to all, the last one gets `mode` and, where there is one, `owner`.
base::Result<> ensure_folder(const std::string& path, const char* key, mode_t mode,
                             const config::Account* owner = nullptr) {
  const auto make = [&](const std::string& folder, bool last) {
    const mode_t wanted = last ? mode : 0755;
    if (::mkdir(folder.c_str(), wanted) != 0) return errno == EEXIST;
    if (::chmod(folder.c_str(), wanted) != 0) return false;  // Whatever the umask.
    return !last || owner == nullptr || ::lchown(folder.c_str(), owner->user, owner->group) == 0;
  };
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const bool last = slash == std::string::npos;
    if (!make(path.substr(0, slash), last)) {
      return base::system_error(std::string(key) + " \"" + path +
                                    "\" cannot be made (make it for the host's user, or name another folder)",
                                errno);
    }
    if (last) return base::success();
  }
}

/// Whoever writes there has to try it: where that is another user, its process does.
base::Result<> try_spool(const std::string& folder, const config::Account* owner = nullptr) {
  if (auto made = ensure_folder(folder, "spool_dir", 0700, owner); !made) return made;
  if (owner != nullptr) return base::success();
  return SpoolFolder(folder, 0).probe();
}

std::string temporary_folder() {
  const char* named = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): [startup]
  return named != nullptr && named[0] == '/' ? named : "/tmp";
}

}  // namespace

std::vector<base::Error> make_folders(const config::Config& config) {
  std::vector<base::Error> errors;
  const config::Account* const owner = changes_user(config.server) ? &*config.server.account : nullptr;
  if (auto spool = try_spool(config.spool_dir, owner); !spool) errors.push_back(spool.error());
  // Others may pass it, to a folder in it that is theirs to read.
  if (auto cache = ensure_folder(config.server.plugin_cache, "plugin_cache", 0711); !cache) {
    errors.push_back(cache.error());
  }
  for (base::Error& refused : refuse_account(config)) errors.push_back(std::move(refused));
  return errors;
}

base::Result<PrivateFolder> PrivateFolder::make(const std::vector<std::string>& parents) {
  std::string told;
  for (const std::string& parent : parents) {
    if (!told.empty()) told += "; ";
    struct statvfs about{};
    if (::statvfs(parent.c_str(), &about) == 0) {
      if (const std::string refused = plugin::refuse_mount(parent, about.f_flag); !refused.empty()) {
        told += refused;
        continue;
      }
    }
    std::string path = parent + "/trivet-XXXXXX";
    if (::mkdtemp(path.data()) != nullptr) return PrivateFolder(std::move(path));
    told += "\"" + parent + "\": " + std::generic_category().message(errno);
  }
  return base::Error{base::ErrorCode::system_failure,
                     "no folder for copies of the plugins can be made (" + told +
                         "): let the web server's user write to server.plugin_cache, or set TMPDIR"};
}

PrivateFolder::~PrivateFolder() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

base::Result<PrivateFolder> make_spawned_folders(config::Config& config, log::Log& log) {
  if (config.server.account)
    log.info("`user` and `group` are left aside: the web server that started this host chose its user");
  auto folder = PrivateFolder::make({config.server.plugin_cache, temporary_folder()});
  if (!folder) return folder;
  config.server.plugin_cache = folder->path();
  if (const auto spool = try_spool(config.spool_dir); !spool) {
    log.info("spool_dir cannot be used by the web server's user, the temporary folder is",
             {{"folder", temporary_folder()}, {"reason", spool.error().message}});
    config.spool_dir = temporary_folder();
    if (auto instead = try_spool(config.spool_dir); !instead) return instead.error();
  }
  return folder;
}

}  // namespace trivet::host
