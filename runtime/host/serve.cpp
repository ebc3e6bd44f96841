#include "runtime/host/serve.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "runtime/host/folders.hpp"
#include "runtime/host/host.hpp"
#include "runtime/io/descriptor_limit.hpp"
#include "runtime/plugin/note.hpp"
#include "runtime/process/service_manager.hpp"
#include "runtime/process/signal_mask.hpp"
#include "runtime/process/spawner.hpp"

namespace trivet::host {
namespace {

constexpr int exit_ok = 0;
constexpr int exit_failed = 1;
constexpr int exit_internal = 70;
constexpr int exit_configuration = 78;

void say(const std::string& text) { std::fputs(text.c_str(), stderr); }

log::Settings log_settings(const config::Log& from) {
  log::Settings settings;
  settings.level = static_cast<log::Level>(from.level);
  settings.format = static_cast<log::Settings::Format>(from.format);
  settings.target = from.target;
  return settings;
}
static_assert(static_cast<int>(log::Level::off) == static_cast<int>(config::Log::Level::off));
static_assert(static_cast<int>(log::Settings::Format::json) == static_cast<int>(config::Log::Format::json));

int tell_all(const std::vector<base::Error>& errors, int code) {
  for (const base::Error& error : errors) say("trivet: " + error.message + "\n");
  return code;
}

/// The log of requests, where one is wanted: as the other, but its level is not for `level` to say.
base::Result<std::unique_ptr<log::Log>> open_access_log(const config::Log& from) {
  if (from.access == "off") return std::unique_ptr<log::Log>();
  log::Settings settings = log_settings(from);
  settings.level = log::Level::info;
  settings.target = from.access;
  return log::Log::open(settings);
}

/// One line that says that everything is loaded and listens. Scripts wait for it.
void tell_ready(log::Log& log, const config::Config& config) {
  const std::string listeners = std::to_string(config.listen.size());
  const std::string routes = std::to_string(config.routes.size());
  const std::string plugins = std::to_string(config.plugins.size());
  const std::string pid = std::to_string(::getpid());
  if (config.log.target == "stderr" && log.enabled(log::Level::info)) {
    log.info("ready", {{"listeners", listeners}, {"routes", routes}, {"plugins", plugins}, {"pid", pid}});
  } else {
    say("ready listeners=" + listeners + " routes=" + routes + " plugins=" + plugins + " pid=" + pid + "\n");
  }
}

/// Lines that a full disk or a reader that was too slow has cost are counted, not forgotten.
void tell_stopped(log::Log& log, const log::Log* access) {
  const std::uint64_t lost = log.lost() + (access == nullptr ? 0 : access->lost());
  if (lost == 0) {
    log.info("stopped");
  } else {
    log.warn("stopped", {{"log_lines_lost", std::to_string(lost)}});
  }
  log.flush();
}

int serve_configured(config::Config& config, bool spawned, const std::vector<process::PassedSocket>& passed) {
  auto log = log::Log::open(log_settings(config.log));
  if (!log) return tell_all({log.error()}, exit_failed);
  auto access = open_access_log(config.log);
  if (!access) return tell_all({access.error()}, exit_failed);
  const auto connections = io::raise_descriptor_limit(config.limits.connections);
  if (!connections) return tell_all({connections.error()}, exit_internal);
  const std::size_t most = connections.value();
  if (most < config.limits.connections) {
    log.value()->warn(
        "fewer connections than limits.connections can be open: the hard limit of descriptors is low",
        {{"wanted", std::to_string(config.limits.connections)}, {"possible", std::to_string(most)}});
  }
  std::optional<process::HeldSignals> held;
  std::optional<PrivateFolder> own;
  if (spawned) {
    held.emplace();
    auto made = make_spawned_folders(config, *log.value());
    if (!made) return tell_all({made.error()}, exit_failed);
    own.emplace(std::move(made).value());
  } else if (const auto errors = make_folders(config); !errors.empty()) {
    return tell_all(errors, exit_failed);
  }

  Assembled assembled = assemble(config, *log.value());
  if (!assembled.errors.empty()) return tell_all(assembled.errors, exit_failed);
  own.reset();  // What is loaded stays loaded. Web servers kill what they spawn: then nothing may be left
                // over.
  held.reset();
  auto loop = io::EventLoop::open();
  if (!loop) return tell_all({loop.error()}, exit_internal);
  auto host = std::make_unique<Host>(config, *log.value(), access.value().get(), std::move(loop).value(),
                                     std::move(assembled.assembly), most);
  if (const auto failed = host->listen(passed); !failed.empty()) return tell_all(failed, exit_failed);
  tell_ready(*log.value(), config);
  process::tell_service_manager("READY=1");
  if (auto ran = host->run(); !ran) return tell_all({ran.error()}, exit_internal);
  const bool quiet = host->quiet();
  tell_stopped(*log.value(), access.value().get());
  if (!quiet) ::_exit(exit_ok);  // A plugin's thread still runs: what it uses must stay.
  host.reset();
  return exit_ok;
}

}  // namespace

int serve(const ServeOptions& options) {
  auto passed = process::take_passed_sockets();
  if (!passed) return tell_all({passed.error()}, exit_internal);
  config::Overrides overrides = options.overrides;
  overrides.spawned = overrides.listen.empty() && !overrides.processes && process::is_spawned();
  if (overrides.spawned) {
    process::close_leaked_descriptors();
    passed.value().clear();
  }
  if (const char* addresses = std::getenv("FCGI_WEB_SERVER_ADDRS"))
    overrides.web_servers = addresses;  // NOLINT(concurrency-mt-unsafe)
  config::Loaded loaded = config::load_file(options.config_file, overrides, plugin::look_at);
  if (!loaded.diagnostics.empty()) say(config::render_all(loaded));
  if (!loaded.config) return exit_configuration;
  try {
    return serve_configured(*loaded.config, overrides.spawned, passed.value());
  } catch (const std::exception& error) {
    say(std::string("trivet: internal error: ") + error.what() + "\n");
    return exit_internal;
  }
}

}  // namespace trivet::host
