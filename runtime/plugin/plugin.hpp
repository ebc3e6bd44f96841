#pragma once

#include <trivet/abi.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/plugin/threads.hpp"
#include "runtime/plugin/usage.hpp"
#include "runtime/process/statistics.hpp"
#include "runtime/process/zone.hpp"

namespace trivet::config {
struct Plugin;
}
namespace trivet::log {
class Log;
}

namespace trivet::plugin {

class Library;
class SettingsReader;
struct Current;

/// One `[plugin.NAME]` at work: the loaded code, its instances and the threads that run them.
///
/// Thread    start() and the destructor [startup]; the rest [loop], and constant.
/// Lifetime  Outlives every request that uses it. Destroying it waits for its threads (abandon() first when
/// one hangs).
class Plugin {
 public:
  /// Loads the file (a private copy in `cache_folder`, unless there is one already), shakes hands, makes the
  /// instances. The Error names plugin, file and cure; where several settings are wrong, one line for each.
  /// `log` and `zones` outlive it; `zones` null: there are none.
  static base::Result<std::unique_ptr<Plugin>> start(const config::Plugin& config,
                                                     const std::string& cache_folder, log::Log& log,
                                                     const process::Zones* zones = nullptr,
                                                     std::uint32_t column = 0);
  /// Makes the workers of a plugin that does not run on the loop; `around` as for Threads.
  using MakeWorkers = std::function<std::unique_ptr<Workers>(
      const std::vector<void*>& instances, std::uint32_t queue, const Threads::Around& around)>;
  /// For tests and plugins linked in: the same without a file, and with other workers than threads.
  static base::Result<std::unique_ptr<Plugin>> start(const config::Plugin& config, const trivet_plugin& entry,
                                                     log::Log& log, const MakeWorkers& make_workers = {});
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  [[nodiscard]] const std::string& name() const noexcept;
  /// The table, with tables and hooks beyond the plugin's own size read as null.
  [[nodiscard]] const trivet_responder* responder() const noexcept {
    return responder_ ? &*responder_ : nullptr;
  }
  [[nodiscard]] const trivet_authorizer* authorizer() const noexcept {
    return authorizer_ ? &*authorizer_ : nullptr;
  }
  [[nodiscard]] const trivet_filter* filter() const noexcept { return filter_ ? &*filter_ : nullptr; }
  [[nodiscard]] bool wants_short() const noexcept;
  [[nodiscard]] bool is_exclusive() const noexcept;
  [[nodiscard]] bool is_pure() const noexcept;
  /// Of a pure plugin: edition_of() when it started. Else 0.
  [[nodiscard]] std::uint64_t edition() const noexcept { return edition_; }
  [[nodiscard]] bool takes_any_encoding() const noexcept;
  [[nodiscard]] std::optional<std::chrono::milliseconds> timeout() const noexcept;

  /// Null when the plugin runs on the loop: then hooks are called there with loop_instance().
  [[nodiscard]] Workers* threads() const noexcept { return threads_.get(); }
  [[nodiscard]] void* loop_instance() const noexcept { return threads_ ? nullptr : instances_.front(); }
  /// For a CallScope around each hook that is called on the loop; plugin threads have theirs.
  [[nodiscard]] const Current& current() const noexcept { return *current_; }

  /// Nobody calls it meanwhile: its code ended one worker after the other. [loop]
  void suspend(bool is_suspended) noexcept { is_suspended_ = is_suspended; }
  [[nodiscard]] bool is_suspended() const noexcept { return is_suspended_; }
  [[nodiscard]] const Usage& usage() const noexcept { return usage_; }
  /// Where it is counted from now on, instead of in itself. [startup]
  void count_in(process::PluginCounters& counters) noexcept { usage_ = Usage(counters); }
  /// What its threads do. One is lost that has not come back from a call which timed out or was cancelled:
  /// after the plugin's timeout once more, at least a second; never where that is off. [loop]
  [[nodiscard]] Workers::Load load(base::TimePoint now) const;

  [[nodiscard]] const std::string& version() const noexcept;
  /// Workers::abandon. When true, what the threads may still use is left in place for good.
  bool abandon(std::chrono::milliseconds patience);

 private:
  explicit Plugin(const config::Plugin& config, log::Log& log);

  base::Result<> begin(const config::Plugin& config, const trivet_plugin& entry,
                       const MakeWorkers& make_workers);
  base::Result<> make_instances(const config::Plugin& config, std::uint32_t count);
  base::Result<> make_instance(const config::Plugin& config, SettingsReader& settings);
  base::Result<> start_threads(const config::Plugin& config, const MakeWorkers& make_workers);

  std::string name_;
  std::string version_;
  std::optional<std::chrono::milliseconds> timeout_;
  const process::Zones* zones_ = nullptr;
  std::shared_ptr<Current> current_;  ///< Shared with the threads, which may outlive this after abandon().
  std::unique_ptr<Library> library_;  ///< Null for a plugin that is linked in.
  trivet_plugin entry_{};
  std::uint64_t edition_ = 0;
  std::optional<trivet_responder> responder_;
  std::optional<trivet_authorizer> authorizer_;
  std::optional<trivet_filter> filter_;
  std::vector<void*> instances_;
  std::unique_ptr<Workers> threads_;
  bool abandoned_ = false;
  bool is_suspended_ = false;
  process::PluginCounters own_counters_;
  Usage usage_{own_counters_};
};

/// Why a plugin of the configuration cannot be used: with its place, name and file.
[[nodiscard]] base::Error refusal(const config::Plugin& config, const std::string& what);

}  // namespace trivet::plugin
