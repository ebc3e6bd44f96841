#pragma once

#include <memory>

#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"
#include "runtime/log/batched_log.hpp"
#include "runtime/log/log.hpp"

namespace trivet::host {

constexpr int exit_ok = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 64;
constexpr int exit_internal = 70;
constexpr int exit_configuration = 78;

/// What [log] asks for.
struct Logs {
  std::unique_ptr<log::Log> log;
  std::unique_ptr<log::BatchedLog> access;  ///< Of requests; null: none is wanted.

  /// Lines that a full disk or a reader that was too slow has cost.
  [[nodiscard]] std::uint64_t lost() const { return log->lost() + (access == nullptr ? 0 : access->lost()); }
  void reopen() const;
  void flush() const;
};

/// As long as this lives, save_lines() writes what waits in that access log, of which there may be none.
class SavedLines {
 public:
  explicit SavedLines(log::BatchedLog* access) noexcept;
  ~SavedLines();
  SavedLines(const SavedLines&) = delete;
  SavedLines& operator=(const SavedLines&) = delete;
};
/// Async-signal-safe.
void save_lines() noexcept;

/// Thread  [startup]
[[nodiscard]] base::Result<Logs> open_logs(const config::Log& from);

/// Where `possible` connections are fewer than the configuration wants.
void tell_of_descriptors(log::Log& log, const config::Config& config, std::size_t possible);
/// One line that says that everything is loaded and listens. Scripts wait for it.
void tell_that_ready(log::Log& log, const config::Config& config);
/// The last line; lines that were lost are counted, not forgotten.
void tell_that_stopped(log::Log& log, std::uint64_t lost);
/// A worker's last line, where there is something to tell.
void tell_of_lost_lines(const Logs& logs);

}  // namespace trivet::host
