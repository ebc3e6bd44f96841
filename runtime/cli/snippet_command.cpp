#include "runtime/cli/snippet_command.hpp"

#include <unistd.h>

#include <cerrno>

#include "runtime/cli/output.hpp"
#include "runtime/cli/snippet/servers.hpp"
#include "runtime/config/load.hpp"
#include "runtime/plugin/note.hpp"

namespace trivet::cli {

base::Result<std::string> make_snippet(const config::Config& config, const SnippetCommand& command) {
  for (const snippet::WebServer& server : snippet::web_servers()) {
    if (server.name != command.server) continue;
    const auto abilities = server.abilities();
    const auto site = snippet::look_at(config, {command.server, command.host, command.listener}, abilities);
    if (!site) return site.error();
    return server.write(site.value());
  }
  return base::Error{base::ErrorCode::config_invalid, "there is no such server"};
}

int run_snippet(const SnippetCommand& command) {
  const config::Loaded loaded = config::load_file(command.config_file, {}, plugin::look_at);
  if (!loaded.diagnostics.empty()) static_cast<void>(write_all(STDERR_FILENO, config::render_all(loaded)));
  if (!loaded.config) return exit_configuration;
  const auto text = make_snippet(*loaded.config, command);
  if (!text) {
    say("snippet: " + text.error().message);
    return exit_configuration;
  }
  if (!write_all(STDOUT_FILENO, text.value())) {
    say(base::system_error("the snippet cannot be written", errno).message);
    return exit_failed;
  }
  return exit_ok;
}

}  // namespace trivet::cli
