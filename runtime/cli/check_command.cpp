#include "runtime/cli/check_command.hpp"

#include <boost/json.hpp>  // Its sources are compiled in the plugin floor.
#include <cstdio>

#include "runtime/config/load.hpp"

namespace trivet::cli {
namespace {

boost::json::object as_json(const config::Diagnostic& diagnostic) {
  boost::json::object object;
  object["severity"] = diagnostic.severity == config::Diagnostic::Severity::error ? "error" : "warning";
  object["file"] = diagnostic.place.file;
  object["line"] = diagnostic.place.line;
  object["column"] = diagnostic.place.column;
  object["end"] = diagnostic.end_column;
  object["message"] = diagnostic.message;
  object["hint"] = diagnostic.hint;
  return object;
}

}  // namespace

int run_check(const CheckCommand& command) {
  const config::Loaded loaded = config::load_file(command.config_file);
  if (command.json) {
    boost::json::array all;
    for (const config::Diagnostic& each : loaded.diagnostics) all.push_back(as_json(each));
    std::puts(boost::json::serialize(all).c_str());
  } else if (!loaded.diagnostics.empty()) {
    std::fputs(config::render_all(loaded).c_str(), stderr);
  } else {
    std::fprintf(stderr, "%s: ok\n", command.config_file.c_str());
  }
  return loaded.config ? exit_ok : exit_configuration;
}

}  // namespace trivet::cli
