#include <algorithm>
#include <map>
#include <set>

#include "runtime/config/address.hpp"
#include "runtime/config/network.hpp"
#include "runtime/config/sections.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

/// The listener of a host that a web server spawned, and all sockets that were attached; routes may name it
/// in every configuration.
constexpr std::string_view spawned_name = "spawned";
constexpr std::chrono::milliseconds spawned_grace = std::chrono::seconds(5);

/// Where the other of two stands, told at `from`.
std::string at_line(const Sink& sink, const Span& other, const Place& place, const Span& from) {
  return other.line == 0 ? place.file : sink.where(other, from.file);
}

void tell(Sink& sink, const Span& span, std::string message) {
  if (span.line == 0) {
    sink.option_error("--listen", std::move(message));
  } else {
    sink.error(span, std::move(message));
  }
}

void check_listeners(Sink& sink, const std::vector<ListenDraft>& listen) {
  std::map<std::string_view, const ListenDraft*> names;
  std::map<std::string, const ListenDraft*> addresses;
  for (const ListenDraft& each : listen) {
    if (!each.valid) continue;
    const auto [same_address, new_address] = addresses.emplace(canonical(each.listen.address), &each);
    if (!new_address) {
      tell(sink, each.address_span,
           "two listeners on one address: " + in_quotes(each.listen.text) + ", the other at " +
               at_line(sink, same_address->second->span, same_address->second->listen.place, each.span));
    }
    const auto [same_name, new_name] = names.emplace(each.listen.name, &each);
    if (!new_name && (new_address || each.name_span.line != 0)) {
      tell(sink, each.name_span.line != 0 ? each.name_span : each.address_span,
           "two listeners are named " + in_quotes(each.listen.name) + ", the other at " +
               at_line(sink, same_name->second->span, same_name->second->listen.place, each.span));
    }
  }
}

void name_routes(Sink& sink, std::vector<RouteDraft>& routes) {
  for (std::size_t index = 0; index < routes.size(); ++index) {
    if (routes[index].route.name.empty()) routes[index].route.name = "route-" + std::to_string(index + 1);
  }
  std::map<std::string_view, const RouteDraft*> names;
  for (const RouteDraft& each : routes) {
    const auto [same, is_new] = names.emplace(each.route.name, &each);
    if (is_new) continue;
    sink.error(each.has_name ? each.name_span : each.span,
               "two routes are named " + in_quotes(each.route.name) + ", the other at " +
                   sink.where(same->second->span, each.span.file));
  }
}

/// Checks the plugin names that routes use.
class PluginNames {
 public:
  PluginNames(Sink& sink, const std::vector<PluginDraft>& plugins) : sink_(sink) {
    for (const PluginDraft& each : plugins) in_order_.emplace_back(each.plugin.name);
    known_.insert(in_order_.begin(), in_order_.end());
  }

  void check(const NameAt& name, std::string_view key) {
    const bool guards = key == "authorize";
    const bool built_in = name.name == "allow" || name.name == "deny";
    if ((guards && built_in) || known_.count(name.name) != 0) return;
    if (built_in) {
      sink_.error(name.span, in_quotes(name.name) + " is a built-in guard: it cannot stand in `" +
                                 std::string(key) + '`');
      return;
    }
    std::vector<std::string_view> candidates = in_order_;
    if (guards) candidates.insert(candidates.end(), {"allow", "deny"});
    const bool define = known_.empty() && !closest(name.name, candidates);
    sink_.error(
        name.span, "no plugin " + in_quotes(name.name),
        define ? "define it: [plugin." + one_line(name.name) + "]" : did_you_mean(name.name, candidates));
  }

 private:
  Sink& sink_;
  std::vector<std::string_view> in_order_;
  std::set<std::string_view> known_;
};

void check_plugin_names(Sink& sink, const Draft& draft) {
  PluginNames names(sink, draft.plugins);
  for (const RouteDraft& route : draft.routes) {
    for (const NameAt& each : route.guards) names.check(each, "authorize");
    if (route.respond) names.check(*route.respond, "respond");
    for (const NameAt& each : route.filter) names.check(each, "filter");
  }
}

/// Checks the listeners of each route against the file's, then keeps those that there are. A route that is
/// left with none is dropped: an empty list would mean all.
void bind_routes(Sink& sink, Draft& draft, const std::vector<ListenDraft>& actual) {
  std::vector<std::string_view> known;
  for (const ListenDraft& each : draft.listen) known.emplace_back(each.listen.name);
  std::set<std::string_view> served;
  for (const ListenDraft& each : actual) served.insert(each.listen.name);
  for (RouteDraft& each : draft.routes) {
    bool understood = true;
    for (const NameAt& name : each.listen) {
      if (served.count(name.name) != 0) {
        each.route.listen.push_back(name.name);
      } else if (name.name != spawned_name &&
                 std::find(known.begin(), known.end(), name.name) == known.end()) {
        understood = false;
        sink.error(name.span, "no listener " + in_quotes(name.name), did_you_mean(name.name, known));
      }
    }
    if (each.listen.empty() || !each.route.listen.empty()) {
      draft.config.routes.push_back(each.route);
    } else if (understood) {
      sink.warning(each.listen.front().span, "the route " + in_quotes(each.route.name) +
                                                 " is left out: none of its listeners is open in this run");
    }
  }
}

/// What the file says of running on its own does not hold for a process that a web server started.
void adapt_to_spawner(Config& config) {
  config.server.processes = 0;
  config.server.admin.clear();
  config.server.attach.reset();
  // mod_fcgid kills 8 s after its first SIGTERM.
  config.server.shutdown_grace =
      std::min<std::chrono::milliseconds>(config.server.shutdown_grace, spawned_grace);
  // Where the web server's own log is. A file may be another user's, and would be shared by every process.
  config.log.target = "stderr";
  if (config.log.access != "off") config.log.access = "stderr";
}

/// As a listener like any other, that routes may name.
ListenDraft attached_sockets(const Attach& attach) {
  ListenDraft draft;
  draft.listen.name = spawned_name;
  draft.listen.text = "attached";
  draft.listen.address = AttachedAddress{};
  draft.listen.accept_steering = attach.accept_steering;
  draft.listen.place = attach.place;
  draft.valid = true;
  return draft;
}

}  // namespace

void check_unused(Sink& sink, const Draft& draft) {
  std::set<std::string_view> used;
  for (const RouteDraft& route : draft.routes) {
    for (const NameAt& each : route.guards) used.insert(each.name);
    for (const NameAt& each : route.filter) used.insert(each.name);
    if (route.respond) used.insert(route.respond->name);
  }
  for (const PluginDraft& each : draft.plugins) {
    if (used.count(each.plugin.name) != 0) continue;
    sink.warning(each.span, "no route uses the plugin " + in_quotes(each.plugin.name));
  }
}

void resolve(Sink& sink, Draft& draft, const Overrides& overrides) {
  std::vector<ListenDraft> options;
  for (const std::string& address : overrides.listen) add_listen_option(sink, address, options);
  if (overrides.spawned) {
    adapt_to_spawner(draft.config);
    ListenDraft spawned;
    spawned.listen.name = spawned_name;
    spawned.listen.text = "fd:0";
    spawned.listen.address = DescriptorAddress{0};
    spawned.valid = true;
    options = {std::move(spawned)};
  }
  const std::optional<Attach>& attach = draft.config.server.attach;
  const bool attached = attach && draft.config.server.processes > 0;
  const bool replaced = overrides.spawned || !overrides.listen.empty();
  check_listeners(sink, draft.listen);
  if (replaced) check_listeners(sink, options);
  std::vector<ListenDraft> actual = replaced ? options : draft.listen;
  if (attached) actual.push_back(attached_sockets(*attach));
  if (!draft.has_listen && !replaced && !attached) {
    sink.error({}, "no [[listen]]: nobody could connect",
               "[[listen]] with address = \"unix:/run/trivet/trivet.sock\", say");
  }
  if (overrides.web_servers) {
    auto read = read_web_servers(*overrides.web_servers);
    if (auto* problem = std::get_if<AddressProblem>(&read)) {
      sink.option_error("FCGI_WEB_SERVER_ADDRS", std::move(problem->message), std::move(problem->hint));
    } else {
      draft.config.web_servers = std::get<std::vector<base::Network>>(std::move(read));
    }
  }
  if (draft.routes.empty() && !sink.failed()) {
    sink.warning({}, "no [[route]]: every request is answered with 404, an authorizer's with 403");
  }
  name_routes(sink, draft.routes);
  check_plugin_names(sink, draft);
  bind_routes(sink, draft, actual);
  for (const ListenDraft& each : actual) draft.config.listen.push_back(each.listen);
  for (const PluginDraft& each : draft.plugins) draft.config.plugins.push_back(each.plugin);
}

}  // namespace trivet::config
