#include "runtime/host/serving.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <utility>

namespace trivet::host {
namespace {

log::Settings settings_of(const config::Log& from) {
  log::Settings settings;
  settings.level = static_cast<log::Level>(from.level);
  settings.format = static_cast<log::Settings::Format>(from.format);
  settings.target = from.target;
  settings.owner = from.owner;
  return settings;
}
static_assert(static_cast<int>(log::Level::off) == static_cast<int>(config::Log::Level::off));
static_assert(static_cast<int>(log::Settings::Format::json) == static_cast<int>(config::Log::Format::json));

/// As the other, but its level is not for `level` to say.
base::Result<std::unique_ptr<log::BatchedLog>> open_access_log(const config::Log& from) {
  if (from.access == "off") return std::unique_ptr<log::BatchedLog>();
  log::Settings settings = settings_of(from);
  settings.target = from.access;
  return log::BatchedLog::open(settings, "access", from.access_flush);
}

std::atomic<log::BatchedLog*> lines_to_save;

}  // namespace

SavedLines::SavedLines(log::BatchedLog* access) noexcept { lines_to_save = access; }
SavedLines::~SavedLines() { lines_to_save = nullptr; }

void save_lines() noexcept {
  if (log::BatchedLog* const access = lines_to_save; access != nullptr) access->save();
}

base::Result<Logs> open_logs(const config::Log& from) {
  auto log = log::Log::open(settings_of(from));
  if (!log) return log.error();
  auto access = open_access_log(from);
  if (!access) return access.error();
  return Logs{std::move(log).value(), std::move(access).value()};
}

void tell_of_descriptors(log::Log& log, const config::Config& config, std::size_t possible) {
  if (possible >= config.limits.connections) return;
  log.warn("fewer connections than limits.connections can be open: the hard limit of descriptors is low",
           {{"wanted", std::to_string(config.limits.connections)}, {"possible", std::to_string(possible)}});
}

void tell_that_ready(log::Log& log, const config::Config& config) {
  const std::string listeners = std::to_string(config.listen.size());
  const std::string routes = std::to_string(config.routes.size());
  const std::string plugins = std::to_string(config.plugins.size());
  const std::string workers = std::to_string(config.server.processes);
  const std::string pid = std::to_string(::getpid());
  if (config.log.target == "stderr" && log.enabled(log::Level::info)) {
    log.info("ready", {{"listeners", listeners},
                       {"routes", routes},
                       {"plugins", plugins},
                       {"workers", workers},
                       {"pid", pid}});
  } else {
    const std::string line = "ready listeners=" + listeners + " routes=" + routes + " plugins=" + plugins +
                             " workers=" + workers + " pid=" + pid + "\n";
    std::fputs(line.c_str(), stderr);
  }
}

void tell_that_stopped(log::Log& log, std::uint64_t lost) {
  if (lost != 0) {
    log.warn("stopped", {{"log_lines_lost", std::to_string(lost)}});
  } else {
    log.info("stopped");
  }
  log.flush();
}

void tell_of_lost_lines(const Logs& logs) {
  logs.flush();
  if (const std::uint64_t lost = logs.lost(); lost != 0)
    logs.log->warn("this worker lost lines of its logs", {{"log_lines_lost", std::to_string(lost)}});
  logs.flush();
}

void Logs::reopen() const {
  log->reopen();
  if (access != nullptr) access->reopen();
}

void Logs::flush() const {
  log->flush();
  if (access != nullptr) access->flush();
}

}  // namespace trivet::host
