#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/loop.hpp"
#include "runtime/process/service_manager.hpp"

namespace trivet::process {

/// What a service tells its manager of how it is (sd_notify(3)), and that its loop turns: at twice the rate
/// that the manager's watchdog asks for. Without a manager, or a watchdog, nothing happens.
///
///     starting -> ready -> reloading -> ready -> ... -> stopping
///
/// Thread    [loop]
/// Lifetime  The loop outlives it.
class ServiceNotices {
 public:
  using Tell = std::function<void(const std::string& state)>;

  /// From now on the loop is watched. `interval` is the watchdog's.
  explicit ServiceNotices(base::Loop& loop, std::optional<base::Duration> interval = watchdog_interval(),
                          Tell tell = tell_service_manager);

  /// Serving. `status` is what `systemctl status` shows, in one line.
  void ready(std::string_view status);
  /// A reload has begun; ready() ends it, whatever came of it.
  void reloading();
  /// Only the line.
  void status(std::string_view status);
  /// The last that is told of it, whatever is called afterwards; the watchdog goes on until this is gone.
  void stopping();

 private:
  void on_due(base::TimePoint now);

  base::Loop& loop_;
  const std::optional<base::Duration> interval_;
  const Tell tell_;
  bool stopping_ = false;
  base::MemberTimer<ServiceNotices, &ServiceNotices::on_due> due_{*this};
};

}  // namespace trivet::process
