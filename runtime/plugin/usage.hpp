#pragma once

#include "runtime/plugin/threads.hpp"
#include "runtime/process/statistics.hpp"

namespace trivet::plugin {

/// How one plugin is used, for statistics: what each count means stands at process::PluginCounters.
///
/// Thread    [loop]. What a plugin thread measured is told when its job is back.
/// Lifetime  The counters outlive it.
class Usage {
 public:
  explicit Usage(process::PluginCounters& counters) noexcept : counters_(&counters) {}

  void began() const noexcept { process::add(counters_->calls); }
  void failed() const noexcept { process::add(counters_->errors); }
  void timed_out() const noexcept { process::add(counters_->timeouts); }
  void refused() const noexcept { process::add(counters_->refused); }
  /// A verdict was there without a call, or was looked for and was not.
  void remembered() const noexcept { process::add(counters_->remembered); }
  void not_remembered() const noexcept { process::add(counters_->not_remembered); }
  /// What a guard that decides nothing said.
  void shadowed(bool allows) const noexcept {
    process::add(allows ? counters_->shadow_allows : counters_->shadow_denies);
  }
  /// A job of a call: its first, or one that follows it.
  enum class Part : bool { first, following };
  void took(const Job::Times& times, Part part) const noexcept {
    if (part == Part::first) process::add(counters_->timed);
    process::add(counters_->waiting_time, nanoseconds(times.waited));
    process::add(counters_->running_time, nanoseconds(times.ran));
  }
  void threads(const Workers::Load& load) const noexcept {
    process::set(counters_->waiting, load.waiting);
    process::set(counters_->running, load.running);
    process::set(counters_->lost, load.lost);
  }
  [[nodiscard]] std::uint64_t threads_lost() const noexcept { return process::read(counters_->lost); }

 private:
  static std::uint64_t nanoseconds(base::Duration time) noexcept {
    return time.count() > 0 ? static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count()) : 0;
  }

  process::PluginCounters* counters_;
};

}  // namespace trivet::plugin
