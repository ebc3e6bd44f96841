// A configuration file: every mistake is told with its place, and what is accepted is what the host can rely
// on.

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "runtime/cgi/text.hpp"
#include "runtime/config/address.hpp"
#include "runtime/config/guards.hpp"
#include "runtime/config/load.hpp"
#include "runtime/config/pattern.hpp"
#include "runtime/config/units.hpp"
#include "tests/fuzz/property.hpp"

namespace trivet::fuzz {
namespace {

using config::Diagnostic;

bool is_error(const Diagnostic& diagnostic) { return diagnostic.severity == Diagnostic::Severity::error; }

/// A terminal shows it as it is: UTF-8, and no control byte but tabs and the ends of lines.
void check_visible(std::string_view text) {
  require(cgi::is_utf8(text), "what is told is UTF-8");
  for (const char c : text)
    require(c == '\n' || c == '\t' || static_cast<unsigned char>(c) >= 0x20,
            "what is told holds no control bytes");
  require(text.find("\u202e") == std::string_view::npos,
          "what is told does not turn the direction of writing");
}

void check_diagnostics(const config::Loaded& loaded, std::string_view text) {
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  std::size_t errors = 0;
  std::pair<std::uint32_t, std::uint32_t> before{};
  for (const Diagnostic& each : loaded.diagnostics) {
    require(!each.message.empty(), "a diagnostic says what is wrong");
    require(each.place.line <= lines && each.place.column <= text.size() + 2,
            "a diagnostic names a place in the file");
    const std::pair place{each.place.line, each.place.column};
    require(before <= place, "diagnostics come in the order of the file");
    before = place;
    check_visible(config::render(each, loaded.text));
    if (is_error(each)) ++errors;
  }
  check_visible(config::render_all(loaded));
  require(loaded.config.has_value() == (errors == 0),
          "a file with an error, and no other, gives no configuration");
}

void check_guard(const config::Guard& guard, const std::function<bool(const std::string&)>& has_plugin,
                 std::size_t depth) {
  using Kind = config::Guard::Kind;
  const bool is_group = guard.kind == Kind::all || guard.kind == Kind::any;
  require(guard.kind != Kind::plugin || has_plugin(guard.plugin), "guards are plugins that are there");
  require(is_group != guard.guards.empty(), "groups have guards, and nothing else has");
  require(guard.kind == Kind::plugin || (!guard.allow_on_error && !guard.cache),
          "only plugins fail, and are remembered");
  require(guard.kind == Kind::plugin || is_group || !guard.shadow, "what is built in is no shadow");
  require(depth <= config::deepest_guards, "guards do not stand deeper than they may");
  for (const std::string& name : guard.methods) require(cgi::is_token(name), "methods are tokens");
  if (guard.cache) require(guard.cache->entries > 0, "a cache has room");
  for (const config::Guard& each : guard.guards) check_guard(each, has_plugin, depth + 1);
}

void check_route(const config::Config& config, const config::Route& route) {
  const auto has_plugin = [&](const std::string& name) {
    return std::any_of(config.plugins.begin(), config.plugins.end(),
                       [&](const auto& each) { return each.name == name; });
  };
  require(!route.name.empty(), "each route has a name");
  require(!config::find_pattern_problem(route.path), "each route has a path that can be matched");
  for (const std::string& name : route.listen) {
    require(std::any_of(config.listen.begin(), config.listen.end(),
                        [&](const auto& each) { return each.name == name; }),
            "a route names listeners that are there");
  }
  for (const config::Guard& guard : route.authorize) check_guard(guard, has_plugin, 1);
  require(!route.respond || has_plugin(*route.respond), "the source is a plugin that is there");
  for (const config::FilterStage& stage : route.filter)
    require(has_plugin(stage.plugin), "filters are plugins that are there");
  for (const std::string& name : route.variables) {
    require(!name.empty() && !name.starts_with("HTTP_") && !name.starts_with("TRIVET_"),
            "variables are a guard's to set");
  }
  for (const std::string& name : route.methods) require(cgi::is_token(name), "methods are tokens");
}

void check_config(const config::Config& config) {
  std::set<std::string> listeners;
  std::set<std::string> addresses;
  for (const config::Listen& each : config.listen) {
    require(listeners.insert(each.name).second, "no two listeners have one name");
    require(addresses.insert(config::canonical(each.address)).second, "no two listeners have one address");
    const auto* tcp = std::get_if<config::TcpAddress>(&each.address);
    require(tcp == nullptr || !each.mode, "only sockets that are files have a mode");
  }
  std::set<std::string> routes;
  for (const config::Route& each : config.routes) {
    require(routes.insert(each.name).second, "no two routes have one name");
    check_route(config, each);
  }
  for (const config::Plugin& each : config.plugins)
    require(each.path.starts_with("/"), "each plugin was found");
  const base::Limits& limits = config.limits;
  require(limits.window >= 4096 && limits.connections > 0 && limits.params_count > 0 &&
              limits.head_bytes >= 512 && limits.head_fields > 0 && limits.concurrent_per_connection > 0,
          "every limit lets something through");
}

/// What one value alone can be, read from any text.
void check_values(const std::string& text) {
  if (const auto size = config::parse_size(text); size && *size < (1ULL << 62U)) {
    require(config::parse_size(config::format_size(*size)) == size, "a size that is written is read again");
  }
  if (const auto time = config::parse_duration(text); time && time->count() < (1LL << 62)) {
    require(config::parse_duration(config::format_duration(*time)) == time,
            "a time that is written is read again");
  }
  if (const auto mode = config::parse_mode(text)) require(*mode <= 0777, "a mode has permission bits alone");
  // The canonical form of a TCP address is for comparing alone.
  const auto address = config::read_address(text);
  const auto* known = std::get_if<config::Address>(&address);
  if (known != nullptr && !std::holds_alternative<config::TcpAddress>(*known)) {
    const std::string canonical = config::canonical(*known);
    const auto again = config::read_address(canonical);
    require(std::holds_alternative<config::Address>(again), "an address that is written is read again");
    require(config::canonical(std::get<config::Address>(again)) == canonical, "and is the same address");
  }
  if (const auto guess = config::guess_size(text))
    require(config::parse_size(*guess).has_value(), "a guessed size is one");
  if (const auto guess = config::guess_duration(text)) {
    require(config::parse_duration(*guess).has_value(), "a guessed time is one");
  }
}

/// Every plugin declares some setting of each kind, and only one role.
std::optional<config::PluginFacts> look(const std::string& /*path*/) {
  using Type = config::SettingSchema::Type;
  config::PluginFacts facts;
  facts.responder = true;
  facts.settings = config::SettingSchema{};
  facts.settings->type = Type::table;
  const auto add = [&](const char* key, Type type) -> config::SettingSchema& {
    config::SettingSchema& added = facts.settings->keys[key];
    added.type = type;
    added.least = 1;
    added.most = 3;
    return added;
  };
  add("text", Type::text).required = true;
  add("word", Type::text).choices = {"one", "two"};
  add("integer", Type::integer);
  add("real", Type::real);
  add("boolean", Type::boolean);
  add("list", Type::list).entries = {config::SettingSchema{}};
  add("table", Type::table).keys["inner"].type = Type::integer;
  return facts;
}

}  // namespace
}  // namespace trivet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trivet;
  const std::string text(base::as_text({data, size}));
  if (text.find("include") != std::string::npos) return 0;  // Other files are no part of the input.
  const config::Loaded loaded = config::load_text(text, "fuzz.toml");
  fuzz::check_diagnostics(loaded, text);
  if (loaded.config) fuzz::check_config(*loaded.config);
  fuzz::require(config::render_all(loaded) == config::render_all(config::load_text(text, "fuzz.toml")),
                "a file is judged the same again");
  fuzz::check_diagnostics(config::load_text(text, "fuzz.toml", {}, fuzz::look), text);
  fuzz::check_values(text);
  return 0;
}
