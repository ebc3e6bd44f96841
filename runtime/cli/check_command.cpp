#include "runtime/cli/check_command.hpp"

#include <unistd.h>

#include <boost/json.hpp>  // Its sources are compiled in the plugin floor.
#include <cerrno>
#include <utility>

#include "runtime/base/error.hpp"
#include "runtime/cgi/text.hpp"
#include "runtime/cli/check_plugins.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/trace.hpp"
#include "runtime/config/load.hpp"
#include "runtime/plugin/note.hpp"

namespace trivet::cli {
namespace {

/// JSON is UTF-8; the name of a file need not be.
std::string as_utf8(const std::string& text) { return cgi::is_utf8(text) ? text : escaped(text); }

boost::json::object as_json(const config::Diagnostic& diagnostic) {
  boost::json::object object;
  object["severity"] = diagnostic.severity == config::Diagnostic::Severity::error ? "error" : "warning";
  object["file"] = as_utf8(diagnostic.place.file);
  object["line"] = diagnostic.place.line;
  object["column"] = diagnostic.place.column;
  object["end"] = diagnostic.end_column;
  object["message"] = as_utf8(diagnostic.message);
  object["hint"] = as_utf8(diagnostic.hint);
  return object;
}

}  // namespace

int run_check(const CheckCommand& command) {
  config::Loaded loaded = config::load_file(command.config_file, {}, plugin::look_at);
  bool sound = true;
  if (loaded.config) {
    for (config::Diagnostic& each : check_plugins(*loaded.config, command.load)) {
      sound = sound && each.severity == config::Diagnostic::Severity::warning;
      loaded.diagnostics.push_back(std::move(each));
    }
  }
  std::string text;
  if (command.json) {
    boost::json::array all;
    for (const config::Diagnostic& each : loaded.diagnostics) all.push_back(as_json(each));
    text = boost::json::serialize(all) + "\n";
  } else if (loaded.diagnostics.empty()) {
    text = command.config_file + ": ok\n";
  } else {
    text = config::render_all(loaded);
  }
  if (!write_all(command.json ? STDOUT_FILENO : STDERR_FILENO, text) && command.json) {
    say(base::system_error("the result cannot be written", errno).message);
    return exit_failed;
  }
  if (!loaded.config) return exit_configuration;
  return sound ? exit_ok : exit_failed;
}

}  // namespace trivet::cli
