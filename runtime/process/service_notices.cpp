#include "runtime/process/service_notices.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

namespace trivet::process {
namespace {

/// STATUS= ends at the end of its line: nothing that is put in may begin another.
std::string status_line(std::string_view status) {
  std::string line = "STATUS=" + std::string(status);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

/// From systemd 253 on a manager wants to know when the reload began, by its clock.
std::string monotonic_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
}

}  // namespace

ServiceNotices::ServiceNotices(base::Loop& loop, std::optional<base::Duration> interval, Tell tell)
    : loop_(loop), interval_(interval), tell_(std::move(tell)) {
  if (interval_) on_due(loop_.now());
}

void ServiceNotices::ready(std::string_view status) {
  if (!stopping_) tell_("READY=1\n" + status_line(status));
}

void ServiceNotices::reloading() {
  if (!stopping_) tell_("RELOADING=1\nMONOTONIC_USEC=" + monotonic_microseconds());
}

void ServiceNotices::status(std::string_view status) {
  if (!stopping_) tell_(status_line(status));
}

void ServiceNotices::stopping() {
  if (!std::exchange(stopping_, true)) tell_("STOPPING=1");
}

void ServiceNotices::on_due(base::TimePoint now) {
  tell_("WATCHDOG=1");
  loop_.timers().arm(due_, now + *interval_ / 2);
}

}  // namespace trivet::process
