#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"
#include "runtime/log/log.hpp"

namespace trivet::host {

/// Makes the folders that the host writes to where they are missing, and tries whether it can write there.
/// Where plugins run as another user, spool_dir is made for that one, and its workers try it
/// (unprivileged.hpp). Gives everything that is wrong.
///
/// Thread  [startup]
[[nodiscard]] std::vector<base::Error> make_folders(const config::Config& config);

/// A folder of this process's own, mode 0700, gone with this object.
///
/// Thread  [startup]
class PrivateFolder {
 public:
  /// In the first of `parents` that takes it and from which code can be loaded.
  static base::Result<PrivateFolder> make(const std::vector<std::string>& parents);
  ~PrivateFolder();
  PrivateFolder(PrivateFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PrivateFolder& operator=(PrivateFolder&& other) noexcept {
    path_.swap(other.path_);
    return *this;
  }
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  explicit PrivateFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// For a host that a web server spawned. It runs as the web server's user, one of many beside the host that
/// the file may be written for: plugin_cache becomes a private folder in the configured or the temporary one,
/// and spool_dir the temporary folder where the configured one cannot be used. Its spool files have no name.
///
/// Lifetime  The folder is needed until the plugins are loaded.
base::Result<PrivateFolder> make_spawned_folders(config::Config& config, log::Log& log);

}  // namespace trivet::host
