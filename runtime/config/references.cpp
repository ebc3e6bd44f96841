#include <algorithm>
#include <map>
#include <set>

#include "runtime/config/address.hpp"
#include "runtime/config/sections.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

/// The listener of a host that a web server spawned; routes may name it in every configuration.
constexpr std::string_view spawned_name = "spawned";

std::string at_line(const Place& place) {
  return place.line == 0 ? place.file : "line " + std::to_string(place.line);
}

void check_listeners(Sink& sink, const std::vector<ListenDraft>& listen) {
  std::map<std::string_view, const ListenDraft*> names;
  std::map<std::string, const ListenDraft*> addresses;
  for (const ListenDraft& each : listen) {
    if (each.listen.name.empty() || !each.valid) continue;
    const auto told = [&](std::string message) {
      if (each.span.line == 0) {
        sink.option_error("--listen", std::move(message));
      } else {
        sink.error(each.span, std::move(message));
      }
    };
    const auto [same_address, new_address] = addresses.emplace(canonical(each.listen.address), &each);
    if (!new_address) {
      told("two listeners on one address: " + in_quotes(each.listen.text) + ", the other at " +
           at_line(same_address->second->listen.place));
    }
    const auto [same_name, new_name] = names.emplace(each.listen.name, &each);
    if (!new_name && new_address) {
      told("two listeners are named " + in_quotes(each.listen.name) + ", the other at " +
           at_line(same_name->second->listen.place));
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
    sink.error(each.span, "two routes are named " + in_quotes(each.route.name) + ", the other at " +
                              at_line(same->second->route.place));
  }
}

/// Checks the plugin names of one route and keeps book of those in use.
class PluginNames {
 public:
  PluginNames(Sink& sink, const std::vector<PluginDraft>& plugins) : sink_(sink) {
    for (const PluginDraft& each : plugins) known_.emplace_back(each.plugin.name);
    unused_.insert(known_.begin(), known_.end());
  }

  void use(const NameAt& name, std::string_view key) {
    const bool built_in = name.name == "allow" || name.name == "deny";
    if (key == "authorize" && built_in) return;
    if (built_in) {
      sink_.error(name.span, in_quotes(name.name) + " is a built-in guard: it cannot stand in `" +
                                 std::string(key) + '`');
      return;
    }
    if (std::find(known_.begin(), known_.end(), name.name) != known_.end()) {
      unused_.erase(name.name);
      return;
    }
    std::vector<std::string_view> candidates = known_;
    if (key == "authorize") candidates.insert(candidates.end(), {"allow", "deny"});
    const auto meant = closest(name.name, candidates);
    if (meant) unused_.erase(*meant);
    sink_.error(name.span, "no plugin " + in_quotes(name.name),
                known_.empty() ? "define it: [plugin." + one_line(name.name) + "]"
                               : did_you_mean(name.name, candidates));
  }

  [[nodiscard]] bool is_unused(const std::string& name) const { return unused_.count(name) != 0; }

 private:
  Sink& sink_;
  std::vector<std::string_view> known_;
  std::set<std::string_view> unused_;
};

void check_plugins(Sink& sink, const Draft& draft) {
  PluginNames names(sink, draft.plugins);
  for (const RouteDraft& route : draft.routes) {
    for (const NameAt& each : route.guards) names.use(each, "authorize");
    if (route.respond) names.use(*route.respond, "respond");
    for (const NameAt& each : route.filter) names.use(each, "filter");
  }
  for (const PluginDraft& each : draft.plugins) {
    if (names.is_unused(each.plugin.name)) {
      sink.warning(each.span, "no route uses the plugin " + in_quotes(each.plugin.name));
    }
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

}  // namespace

void resolve(Sink& sink, Draft& draft, const Overrides& overrides) {
  std::vector<ListenDraft> options;
  for (const std::string& address : overrides.listen) add_listen_option(sink, address, options);
  if (overrides.spawned) {
    ListenDraft spawned;
    spawned.listen.name = spawned_name;
    spawned.listen.text = "fd:0";
    spawned.listen.address = DescriptorAddress{0};
    spawned.valid = true;
    options = {std::move(spawned)};
  }
  const bool replaced = overrides.spawned || !overrides.listen.empty();
  check_listeners(sink, draft.listen);
  if (replaced) check_listeners(sink, options);
  const std::vector<ListenDraft>& actual = replaced ? options : draft.listen;
  if (actual.empty() && !replaced) {
    sink.error({}, "no [[listen]]: nobody could connect",
               "[[listen]] with address = \"unix:/run/trivet/trivet.sock\", say");
  }
  if (draft.routes.empty()) {
    sink.warning({}, "no [[route]]: every request is answered with 404, an authorizer's with 403");
  }
  name_routes(sink, draft.routes);
  check_plugins(sink, draft);
  bind_routes(sink, draft, actual);
  for (const ListenDraft& each : actual) draft.config.listen.push_back(each.listen);
  for (PluginDraft& each : draft.plugins) draft.config.plugins.push_back(std::move(each.plugin));
}

}  // namespace trivet::config
