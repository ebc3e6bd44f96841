#include "runtime/roles/router.hpp"

#include <algorithm>
#include <array>
#include <span>

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

Router::Router(std::vector<std::unique_ptr<Route>> routes) : routes_(std::move(routes)), tree_(1) {
  for (std::uint32_t number = 0; number < routes_.size(); ++number) {
    by_name_.emplace(routes_[number]->config.name, routes_[number].get());
    add_to_tree(number);
    if (!routes_[number]->config.hosts.empty()) asks_for_host_ = true;
  }
}

void Router::add_to_tree(std::uint32_t number) {
  std::uint32_t at = 0;
  for (const std::string& segment : routes_[number]->pattern.segments()) {
    if (segment.find('*') != std::string::npos) break;
    const auto [found, added] = tree_[at].next.emplace(segment, static_cast<std::uint32_t>(tree_.size()));
    at = found->second;
    if (added) tree_.emplace_back();
  }
  tree_[at].routes.push_back(number);
}

bool Router::take(const Route& route, const Target& target, std::size_t known, Match& match) {
  if (!listens(route, target.listener) || !route.pattern.matches(*target.path, known) ||
      !host_fits(route, target.host) || !phase_fits(route, target.phase)) {
    return false;
  }
  if (method_fits(route, target.method)) {
    match.route = &route;
    match.method_fits = true;
    match.allow.clear();
    return true;
  }
  match.method_fits = false;
  if (match.but_for_method == nullptr) match.but_for_method = &route;
  add_methods(route, match.allow);
  return false;
}

Match Router::find(const Target& target) const {
  // The routes of each node that the path passes, to be gone through in the order of the file. More than
  // these are as good as none: then all routes are.
  constexpr std::size_t most_lists = 8;
  struct List {
    std::span<const std::uint32_t> routes;
    std::size_t known;  ///< So many segments lead to the node.
  };
  std::array<List, most_lists> lists;
  std::size_t used = 0;
  Match match;
  const Node* node = tree_.data();
  for (auto segment = target.path->segments().begin();; ++segment) {
    if (!node->routes.empty()) {
      if (used == most_lists) {
        for (const auto& route : routes_) {
          if (take(*route, target, 0, match)) break;
        }
        return match;
      }
      lists[used++] = {node->routes, static_cast<std::size_t>(segment - target.path->segments().begin())};
    }
    if (segment == target.path->segments().end()) break;
    const auto next = node->next.find(*segment);
    if (next == node->next.end()) break;
    node = &tree_[next->second];
  }
  const std::span open(lists.data(), used);
  for (;;) {
    List* first = nullptr;
    for (List& list : open) {
      if (!list.routes.empty() && (first == nullptr || list.routes.front() < first->routes.front()))
        first = &list;
    }
    if (first == nullptr || take(*routes_[first->routes.front()], target, first->known, match)) return match;
    first->routes = first->routes.subspan(1);
  }
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
