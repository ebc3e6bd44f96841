#include "runtime/host/serve.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "runtime/host/folders.hpp"
#include "runtime/host/generation.hpp"
#include "runtime/host/host.hpp"
#include "runtime/host/serving.hpp"
#include "runtime/host/supervisor.hpp"
#include "runtime/host/unprivileged.hpp"
#include "runtime/host/zones.hpp"
#include "runtime/io/descriptor_limit.hpp"
#include "runtime/plugin/note.hpp"
#include "runtime/process/board.hpp"
#include "runtime/process/heap.hpp"
#include "runtime/process/service_manager.hpp"
#include "runtime/process/service_notices.hpp"
#include "runtime/process/signal_mask.hpp"
#include "runtime/process/spawner.hpp"

namespace trivet::host {
namespace {

void say(const std::string& text) { std::fputs(text.c_str(), stderr); }

int tell_all(const std::vector<base::Error>& errors, int code) {
  for (const base::Error& error : errors) say("trivet: " + error.message + "\n");
  return code;
}

/// Makes the copies of plugin files that a process which becomes another user could not make: that one is not
/// to write where code is loaded from.
std::vector<base::Error> copy_before(const config::Loaded& loaded, const config::Overrides& overrides,
                                     config::Config& config, std::unique_ptr<Generation>& out) {
  remove_stale_generations(config.server.plugin_cache);
  if (auto errors = Generation::make(loaded, overrides, 1, out); !errors.empty()) return errors;
  const auto snapshot = read_snapshot(out->snapshot());
  if (!snapshot) return {snapshot.error()};
  for (config::Plugin& each : config.plugins) each.copy = snapshot.value().plugin_files.at(each.name).copy;
  return {};
}

int serve_configured(const config::Loaded& loaded, const config::Overrides& overrides,
                     std::vector<process::PassedSocket> passed) {
  config::Config config = *loaded.config;
  const bool spawned = overrides.spawned;
  auto logs = open_logs(config.log);
  if (!logs) return tell_all({logs.error()}, exit_failed);
  log::Log& log = *logs->log;
  const SavedLines saved(logs->access.get());
  static process::CrashNote unread;
  process::note_crashes(unread, []() noexcept { return process::Whose{}; }, save_lines);
  const auto connections =
      io::raise_descriptor_limit(config.limits.connections, descriptors_of_a_connection(config));
  if (!connections) return tell_all({connections.error()}, exit_internal);
  const std::size_t most = connections.value();
  tell_of_descriptors(log, config, most);
  std::optional<process::HeldSignals> held;
  std::optional<PrivateFolder> own;
  if (spawned) {
    held.emplace();
    auto made = make_spawned_folders(config, log);
    if (!made) return tell_all({made.error()}, exit_failed);
    own.emplace(std::move(made).value());
  } else if (const auto errors = make_folders(config); !errors.empty()) {
    return tell_all(errors, exit_failed);
  }
  SocketPool sockets(std::move(passed), log);
  std::vector<base::Error> failed;
  auto open = sockets.open(config, failed);
  if (!failed.empty()) return tell_all(failed, exit_failed);
  std::unique_ptr<Generation> generation;
  if (!spawned) {
    if (changes_user(config.server)) failed = copy_before(loaded, overrides, config, generation);
    if (failed.empty()) failed = give_up_privileges(config);
    if (!failed.empty()) return tell_all(failed, exit_failed);
  }

  auto zones = make_zones(config.zones);
  if (!zones) return tell_all({zones.error()}, exit_failed);
  auto statistics = process::Statistics::make(shape_of(config));
  if (!statistics) return tell_all({statistics.error()}, exit_internal);
  process::keep_freed_memory();
  auto loop = io::EventLoop::open();
  if (!loop) return tell_all({loop.error()}, exit_internal);
  Assembled assembled = assemble(config, log, **loop, *zones, std::move(statistics).value(), 0);
  if (!assembled.errors.empty()) return tell_all(assembled.errors, exit_failed);
  process::WorkerCounters counters;
  auto host = std::make_unique<Host>(config, log, logs->access.get(), std::move(loop).value(),
                                     std::move(assembled.assembly), most, counters);
  host->listen(std::move(open));
  own.reset();  // What is loaded stays loaded. Web servers kill what they spawn: then nothing may be left
                // over.
  if (const auto taken = host->take_signals(); !taken) return tell_all({taken.error()}, exit_internal);
  held.reset();
  tell_that_ready(log, config);
  std::optional<process::ServiceNotices> notices;
  if (!spawned) {  // The manager that such a one might find is the web server's.
    const std::string routes = std::to_string(config.routes.size());
    notices.emplace(host->loop()).ready("serving " + routes + " routes in one process");
  }
  host->run();
  notices.reset();  // Before its loop.
  const bool quiet = host->quiet();
  logs->flush();
  tell_that_stopped(log, logs->lost());
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
  auto inheritance = take_inheritance();
  if (!inheritance) return tell_all({inheritance.error()}, exit_internal);
  if (inheritance.value())
    return supervise({options.config_file, overrides}, std::move(*inheritance.value()));
  config::Loaded loaded = config::load_file(options.config_file, overrides, plugin::look_at);
  if (!loaded.diagnostics.empty()) say(config::render_all(loaded));
  if (!loaded.config) return exit_configuration;
  try {
    if (loaded.config->server.processes > 0) {
      return supervise({options.config_file, overrides}, std::move(loaded), std::move(passed).value());
    }
    return serve_configured(loaded, overrides, std::move(passed).value());
  } catch (const std::exception& error) {
    say(std::string("trivet: internal error: ") + error.what() + "\n");
    return exit_internal;
  }
}

}  // namespace trivet::host
