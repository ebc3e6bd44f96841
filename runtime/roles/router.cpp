#include "runtime/roles/router.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "runtime/base/name_index.hpp"
#include "runtime/cgi/request_info.hpp"
#include "runtime/cgi/text.hpp"

namespace trivet::roles {
namespace {

template <class Value>
bool is_among(const std::vector<Value>& values, Value value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool is_among_hosts(const std::vector<std::string>& hosts, std::string_view host) {
  return std::any_of(hosts.begin(), hosts.end(),
                     [&](const std::string& each) { return cgi::equals_lower(host, each); });
}

bool is_among_methods(const std::vector<std::string>& methods, std::string_view method) {
  return std::any_of(methods.begin(), methods.end(), [&](const std::string& each) {
    return each == method || (each == "GET" && method == "HEAD");
  });
}

// Most routes have few conditions, or none: what is empty is known without a call.

inline bool listens(const Route& route, std::uint32_t listener) {
  return route.listeners.empty() || is_among(route.listeners, listener);
}

inline bool host_fits(const Route& route, std::string_view host) {
  return route.config.hosts.empty() || is_among_hosts(route.config.hosts, host);
}

inline bool method_fits(const Route& route, std::string_view method) {
  return route.config.methods.empty() || is_among_methods(route.config.methods, method);
}

inline bool phase_fits(const Route& route, std::optional<config::Phase> phase) {
  return route.config.phases.empty() || (phase && is_among(route.config.phases, *phase));
}

void add_methods(const Route& route, std::string& allow) {
  for (const std::string& method : route.config.methods) {
    if (!allow.empty()) allow += ", ";
    allow += method;
    if (method == "GET") allow += ", HEAD";
  }
}

/// All of a segment counts, so that no order in the names of a configuration makes many of them alike.
inline std::uint32_t hash_of(std::uint32_t parent, std::string_view segment) noexcept {
  using Word = std::uint64_t;
  using Half = std::uint32_t;
  constexpr Word odd = 0x9e3779b97f4a7c15;
  const auto load = []<class Part>(const char* from, Part part) {
    std::memcpy(&part, from, sizeof part);
    return part;
  };
  const auto mix = [](Word mixed, Word word) {
    mixed = (mixed ^ word) * odd;
    return mixed ^ mixed >> 32U;
  };
  const char* at = segment.data();
  std::size_t left = segment.size();
  Word mixed = mix(left, parent);
  for (; left > sizeof(Word); left -= sizeof(Word), at += sizeof(Word)) mixed = mix(mixed, load(at, Word{}));
  Word last = 0;
  if (left == sizeof(Word)) {
    last = load(at, Word{});
  } else if (left >= sizeof(Half)) {
    last = Word{load(at, Half{})} << 32U | load(at + left - sizeof(Half), Half{});
  } else {
    for (; left > 0; --left) last = last << 8U | static_cast<unsigned char>(*at++);
  }
  return static_cast<std::uint32_t>(mix(mixed, last) * odd >> 32U);
}

/// The path's first `known` segments are the route's.
bool fits_but_for_method(const Route& route, const Target& target, std::size_t known) {
  return listens(route, target.listener) && route.pattern.matches(*target.path, known) &&
         host_fits(route, target.host) && phase_fits(route, target.phase);
}

}  // namespace

Router::Router(std::vector<std::unique_ptr<Route>> routes) : routes_(std::move(routes)), tree_(1) {
  grow_table();
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
    const std::uint32_t known = child(at, segment);
    at = known != 0 ? known : add_node(at, segment);
  }
  const auto& hosts = routes_[number]->config.hosts;
  if (hosts.empty()) tree_[at].of_any_host.push_back(number);
  for (const std::string& host : hosts) tree_[at].of_host[host].push_back(number);
}

std::uint32_t Router::add_node(std::uint32_t parent, std::string_view segment) {
  const auto added = static_cast<std::uint32_t>(tree_.size());
  Node& node = tree_.emplace_back();
  node.segment = segment;
  node.parent = parent;
  if (tree_.size() * 4 > places_.size()) {
    grow_table();
  } else {
    add_place(added);
  }
  return added;
}

void Router::grow_table() {
  places_.assign(std::bit_ceil(tree_.size() * 8), Place());
  shift_ = static_cast<std::uint32_t>(std::countl_zero(static_cast<std::uint32_t>(places_.size() - 1)));
  for (std::uint32_t each = 1; each < tree_.size(); ++each) add_place(each);
}

void Router::add_place(std::uint32_t node) {
  const std::uint32_t hash = hash_of(tree_[node].parent, tree_[node].segment);
  std::size_t at = hash >> shift_;
  while (places_[at].node != 0) at = (at + 1) & (places_.size() - 1);
  places_[at] = {hash, node};
}

inline std::uint32_t Router::child(std::uint32_t parent, std::string_view segment) const noexcept {
  const std::uint32_t hash = hash_of(parent, segment);
  const std::size_t mask = places_.size() - 1;
  for (std::size_t at = hash >> shift_; places_[at].node != 0; at = (at + 1) & mask) {
    if (places_[at].hash != hash) continue;
    const Node& node = tree_[places_[at].node];
    if (node.parent == parent && base::same_name(node.segment, segment)) return places_[at].node;
  }
  return 0;
}

std::size_t Router::HashOfHost::operator()(std::string_view host) const noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : host) hash = (hash ^ static_cast<unsigned char>(cgi::lower(c))) * 0x100000001b3;
  return hash;
}

bool Router::SameHost::operator()(std::string_view a, std::string_view b) const noexcept {
  return cgi::equals_ignoring_case(a, b);
}

template <class Visit>
void Router::visit(const Target& target, Visit visit) const {
  // The routes of each node that the path passes, to be gone through in the order of the file. More than
  // these are as good as none: then all routes are.
  constexpr std::size_t most_lists = 16;
  struct List {
    const std::uint32_t* next;
    const std::uint32_t* end;
    std::size_t known;  ///< So many segments lead to the node.
  };
  std::array<List, most_lists> lists;
  std::size_t used = 0;
  bool all_fit = true;
  std::uint32_t node_number = 0;
  std::size_t known = 0;
  const auto add = [&](const Numbers& routes) {
    if (routes.empty()) return;
    all_fit = used < most_lists;
    if (all_fit) lists[used++] = {routes.data(), routes.data() + routes.size(), known};
  };
  for (const auto& segments = target.path->segments();; ++known) {
    const Node& node = tree_[node_number];
    add(node.of_any_host);
    if (all_fit && !node.of_host.empty()) {
      if (const auto found = node.of_host.find(target.host); found != node.of_host.end()) add(found->second);
    }
    if (!all_fit) {
      for (const auto& route : routes_) {
        if (visit(*route, 0)) return;
      }
      return;
    }
    if (known == segments.size()) break;
    node_number = child(node_number, segments[known]);
    if (node_number == 0) break;
  }
  for (;;) {
    List* first = nullptr;
    for (List& list : std::span(lists.data(), used)) {
      if (list.next != list.end && (first == nullptr || *list.next < *first->next)) first = &list;
    }
    if (first == nullptr || visit(*routes_[*first->next], first->known)) return;
    ++first->next;
  }
}

Match Router::find(const Target& target) const {
  Match match;
  visit(target, [&](const Route& route, std::size_t known) {
    if (!fits_but_for_method(route, target, known)) return false;
    if (method_fits(route, target.method)) {
      match.route = &route;
      match.method_fits = true;
      return true;
    }
    match.method_fits = false;
    if (match.but_for_method == nullptr) match.but_for_method = &route;
    return false;
  });
  return match;
}

std::string Router::allowed(const Target& target) const {
  std::string allow;
  visit(target, [&](const Route& route, std::size_t known) {
    if (fits_but_for_method(route, target, known)) add_methods(route, allow);
    return false;
  });
  return allow;
}

std::string methods_of(const Route& route) {
  std::string allow;
  add_methods(route, allow);
  return allow;
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
    match.but_for_method = found->second;
  }
  return match;
}

}  // namespace trivet::roles
