#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/config/load.hpp"
#include "runtime/host/zones.hpp"
#include "runtime/process/file_descriptor.hpp"
#include "runtime/process/statistics.hpp"

namespace trivet::host {

/// One state of everything that workers are started from: the configuration as it was checked, and private
/// copies of the plugin files. What happens to the files afterwards changes no worker, whenever it starts.
///
/// Thread    [startup], or [loop] of the supervisor.
/// Lifetime  The copies, in a folder of plugin_cache, are there as long as this lives.
class Generation {
 public:
  /// All errors at once. `loaded` has a Config. `number` counts from 1. Where workers
  /// change their user, that user can read the copies and not write them.
  static std::vector<base::Error> make(config::Loaded loaded, const config::Overrides& overrides,
                                       std::uint32_t number, std::unique_ptr<Generation>& made);
  /// One that an earlier image of this process made: its folder, the lock of that, the snapshot, and what its
  /// workers count in.
  static base::Result<std::unique_ptr<Generation>> adopt(std::uint32_t number, std::string folder,
                                                         process::FileDescriptor lock,
                                                         process::FileDescriptor snapshot,
                                                         process::FileDescriptor statistics);
  ~Generation();
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }
  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }
  [[nodiscard]] int lock() const noexcept { return lock_.get(); }
  [[nodiscard]] const config::Config& config() const noexcept { return config_; }
  /// The packed config::Snapshot, in memory that nobody can change any more.
  [[nodiscard]] int snapshot() const noexcept { return snapshot_.get(); }
  /// The zones of its configuration are there as long as this lives.
  void hold(HeldZones zones) { zones_ = std::move(zones); }
  [[nodiscard]] const HeldZones& zones() const noexcept { return zones_; }
  /// What its workers count in.
  [[nodiscard]] const process::Statistics& statistics() const noexcept { return *statistics_; }
  /// The workers of an earlier image count in memory that this version does not understand.
  [[nodiscard]] bool counts_unseen() const noexcept { return unseen_.is_open(); }
  /// For the next image.
  [[nodiscard]] int counting_memory() const noexcept {
    return counts_unseen() ? unseen_.get() : statistics_->descriptor();
  }

 private:
  Generation(std::uint32_t number, config::Config config) : number_(number), config_(std::move(config)) {}

  std::uint32_t number_;
  config::Config config_;
  std::string folder_;
  process::FileDescriptor lock_;  ///< Held: the folder belongs to a process that lives.
  process::FileDescriptor snapshot_;
  HeldZones zones_;
  std::unique_ptr<process::Statistics> statistics_;
  process::FileDescriptor unseen_;
};

/// The snapshot that was passed to a worker.
base::Result<config::Snapshot> read_snapshot(int descriptor);

/// Removes folders of generations whose processes have ended without doing so.
void remove_stale_generations(const std::string& plugin_cache);

}  // namespace trivet::host
