#include "runtime/host/serve.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "runtime/host/host.hpp"
#include "runtime/io/descriptor_limit.hpp"
#include "runtime/process/service_manager.hpp"
#include "runtime/process/signal_mask.hpp"
#include "runtime/process/standard_streams.hpp"

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

/// The folders that the host writes to are made when they are missing, for the host's user alone.
base::Result<> ensure_folder(const std::string& path, const char* key) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const bool last = slash == std::string::npos;
    if (::mkdir(path.substr(0, slash).c_str(), last ? 0700 : 0755) != 0 && errno != EEXIST) {
      return base::system_error(std::string(key) + " \"" + path +
                                    "\" cannot be made (make it for the host's user, or name another folder)",
                                errno);
    }
    if (last) return base::success();
  }
}

int tell_all(const std::vector<base::Error>& errors, int code) {
  for (const base::Error& error : errors) say("trivet: " + error.message + "\n");
  return code;
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

int serve_configured(const config::Config& config, const std::vector<process::PassedSocket>& passed) {
  auto log = log::Log::open(log_settings(config.log));
  if (!log) return tell_all({log.error()}, exit_failed);
  const auto connections = io::raise_descriptor_limit(config.limits.connections);
  if (!connections) return tell_all({connections.error()}, exit_internal);
  const std::size_t most = connections.value();
  if (most < config.limits.connections) {
    log.value()->warn(
        "fewer connections than limits.connections can be open: the hard limit of descriptors is low",
        {{"wanted", std::to_string(config.limits.connections)}, {"possible", std::to_string(most)}});
  }
  std::vector<base::Error> errors;
  for (const auto& made : {ensure_folder(config.spool_dir, "spool_dir"),
                           ensure_folder(config.server.plugin_cache, "plugin_cache")}) {
    if (!made) errors.push_back(made.error());
  }
  if (errors.empty()) {
    if (auto probed = SpoolFolder(config.spool_dir, 0).probe(); !probed) errors.push_back(probed.error());
  }
  if (!errors.empty()) return tell_all(errors, exit_failed);

  Assembled assembled = assemble(config, *log.value());
  if (!assembled.errors.empty()) return tell_all(assembled.errors, exit_failed);
  auto loop = io::EventLoop::open();
  if (!loop) return tell_all({loop.error()}, exit_internal);
  auto host = std::make_unique<Host>(config, *log.value(), std::move(loop).value(),
                                     std::move(assembled.assembly), most);
  if (const auto failed = host->listen(passed); !failed.empty()) return tell_all(failed, exit_failed);
  tell_ready(*log.value(), config);
  process::tell_service_manager("READY=1");
  if (auto ran = host->run(); !ran) return tell_all({ran.error()}, exit_internal);
  const bool quiet = host->quiet();
  log.value()->info("stopped");
  log.value()->flush();
  if (!quiet) ::_exit(exit_ok);  // A plugin's thread still runs: what it uses must stay.
  host.reset();
  return exit_ok;
}

}  // namespace

int serve(const ServeOptions& options) {
  if (auto opened = process::ensure_standard_descriptors(); !opened)
    return tell_all({opened.error()}, exit_internal);
  if (auto ignored = process::ignore_sigpipe(); !ignored) return tell_all({ignored.error()}, exit_internal);
  auto passed = process::take_passed_sockets();
  if (!passed) return tell_all({passed.error()}, exit_internal);
  config::Overrides overrides = options.overrides;
  if (const char* addresses = std::getenv("FCGI_WEB_SERVER_ADDRS"))
    overrides.web_servers = addresses;  // NOLINT(concurrency-mt-unsafe)
  const config::Loaded loaded = config::load_file(options.config_file, overrides);
  if (!loaded.diagnostics.empty()) say(config::render_all(loaded));
  if (!loaded.config) return exit_configuration;
  try {
    return serve_configured(*loaded.config, passed.value());
  } catch (const std::exception& error) {
    say(std::string("trivet: internal error: ") + error.what() + "\n");
    return exit_internal;
  }
}

}  // namespace trivet::host
