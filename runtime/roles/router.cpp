#include "runtime/roles/router.hpp"

#include <algorithm>

#include "runtime/cgi/request_info.hpp"

namespace trivet::roles {
namespace {

bool listens(const Route& route, std::uint32_t listener) {
  return route.listeners.empty() ||
         std::find(route.listeners.begin(), route.listeners.end(), listener) != route.listeners.end();
}

bool host_fits(const Route& route, std::string_view host) {
  const auto& hosts = route.config.hosts;
  return hosts.empty() || std::any_of(hosts.begin(), hosts.end(),
                                      [&](const std::string& each) { return cgi::equals_lower(host, each); });
}

bool method_fits(const Route& route, std::string_view method) {
  const auto& methods = route.config.methods;
  return methods.empty() || std::any_of(methods.begin(), methods.end(), [&](const std::string& each) {
           return each == method || (each == "GET" && method == "HEAD");
         });
}

bool phase_fits(const Route& route, std::optional<config::Phase> phase) {
  const auto& phases = route.config.phases;
  return phases.empty() || (phase && std::find(phases.begin(), phases.end(), *phase) != phases.end());
}

void add_methods(const Route& route, std::string& allow) {
  for (const std::string& method : route.config.methods) {
    if (!allow.empty()) allow += ", ";
    allow += method;
    if (method == "GET") allow += ", HEAD";
  }
}

}  // namespace

Router::Router(std::vector<std::unique_ptr<Route>> routes) : routes_(std::move(routes)) {
  for (const auto& route : routes_) by_name_.emplace(route->config.name, route.get());
}

Match Router::find(const Target& target) const {
  Match match;
  for (const auto& route : routes_) {
    if (!listens(*route, target.listener) || !route->pattern.matches(*target.path) ||
        !host_fits(*route, target.host) || !phase_fits(*route, target.phase)) {
      continue;
    }
    if (method_fits(*route, target.method)) {
      match.route = route.get();
      match.method_fits = true;
      match.allow.clear();
      return match;
    }
    match.method_fits = false;
    if (match.but_for_method == nullptr) match.but_for_method = route.get();
    add_methods(*route, match.allow);
  }
  return match;
}

Mismatch mismatch(const Route& route, const Target& target) {
  if (!listens(route, target.listener)) return Mismatch::listener;
  if (!route.pattern.matches(*target.path)) return Mismatch::path;
  if (!host_fits(route, target.host)) return Mismatch::host;
  if (!phase_fits(route, target.phase)) return Mismatch::phase;
  return method_fits(route, target.method) ? Mismatch::none : Mismatch::method;
}

Match Router::find_named(std::string_view name, const Target& target, bool& exists) const {
  Match match;
  const auto found = by_name_.find(name);
  exists = found != by_name_.end() && listens(*found->second, target.listener);
  if (!exists) return match;
  match.phase_fits = phase_fits(*found->second, target.phase);
  if (!match.phase_fits) return match;
  if (method_fits(*found->second, target.method)) {
    match.route = found->second;
  } else {
    match.method_fits = false;
    add_methods(*found->second, match.allow);
  }
  return match;
}

}  // namespace trivet::roles
