#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"

/// What systemd, or whatever speaks its protocol, and a service say to each other.
namespace trivet::process {

/// A listening socket that came with the start of the process.
struct PassedSocket {
  std::string name;  ///< FileDescriptorName= of the .socket unit; systemd's default is the unit's name.
  int descriptor = -1;
};

/// The sockets passed to this process, in order (sd_listen_fds(3)). The variables that tell of them are taken
/// from the environment, so that no program that a plugin starts takes them for its own. None passed is no
/// error. The caller owns the descriptors, which are close-on-exec.
///
/// Thread  [startup], once, before any other thread.
base::Result<std::vector<PassedSocket>> take_passed_sockets();

/// Tells the service manager (sd_notify(3)), if there is one. [any]
void tell_service_manager(const std::string& state) noexcept;

/// How long the service manager's watchdog waits for a word of this process; nothing where it does not wait
/// (sd_watchdog_enabled(3)). [startup]
[[nodiscard]] std::optional<base::Duration> watchdog_interval() noexcept;

}  // namespace trivet::process
