#pragma once

#include <trivet/abi.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/plugin/threads.hpp"

namespace trivet::config {
struct Plugin;
}
namespace trivet::log {
class Log;
}

namespace trivet::plugin {

class Library;

/// One `[plugin.NAME]` at work: the loaded code, its instances and the threads that run them.
///
/// Thread    start() and the destructor [startup]; the rest [loop], and constant.
/// Lifetime  Outlives every request that uses it. Destroying it waits for its threads (abandon() first when one hangs).
class Plugin {
 public:
  /// Loads the file (a private copy in `cache_folder`), shakes hands, makes the instances. The Error names plugin, file
  /// and cure. `log` outlives it.
  static base::Result<std::unique_ptr<Plugin>> start(const config::Plugin& config, const std::string& cache_folder,
                                                     log::Log& log);
  /// For tests and plugins linked in: the same without a file.
  static base::Result<std::unique_ptr<Plugin>> start(const config::Plugin& config, const trivet_plugin& entry,
                                                     log::Log& log);
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  [[nodiscard]] const std::string& name() const noexcept;
  /// The table, with tables and hooks beyond the plugin's own size read as null.
  [[nodiscard]] const trivet_responder* responder() const noexcept;
  [[nodiscard]] const trivet_authorizer* authorizer() const noexcept;
  [[nodiscard]] const trivet_filter* filter() const noexcept;
  [[nodiscard]] bool wants_short() const noexcept;
  [[nodiscard]] std::optional<std::chrono::milliseconds> timeout() const noexcept;

  /// Null when the plugin runs on the loop: then hooks are called there with loop_instance().
  [[nodiscard]] Threads* threads() const noexcept;
  [[nodiscard]] void* loop_instance() const noexcept;
};

}  // namespace trivet::plugin
