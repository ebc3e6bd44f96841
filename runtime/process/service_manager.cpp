#include "runtime/process/service_manager.hpp"

#include <systemd/sd-daemon.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace trivet::process {

base::Result<std::vector<PassedSocket>> take_passed_sockets() {
  std::vector<PassedSocket> passed;
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(1, &names);
  if (count < 0) return base::system_error("cannot take the sockets that the service manager passed", -count);
  for (int i = 0; i < count; ++i) {
    passed.push_back({names[i], SD_LISTEN_FDS_START + i});
    std::free(names[i]);  // NOLINT(cppcoreguidelines-no-malloc): the library's
  }
  std::free(static_cast<void*>(names));  // NOLINT(cppcoreguidelines-no-malloc)
  return passed;
}

void tell_service_manager(const std::string& state) noexcept {
  // Nothing can be done about a service manager that does not listen.
  static_cast<void>(::sd_notify(0, state.c_str()));
}

std::optional<base::Duration> watchdog_interval() noexcept {
  std::uint64_t microseconds = 0;
  // The variables stay: a program that takes this one's place under its number is watched as well.
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::microseconds(microseconds);
}

}  // namespace trivet::process
