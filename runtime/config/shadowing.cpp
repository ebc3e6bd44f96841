#include <algorithm>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "runtime/config/pattern.hpp"
#include "runtime/config/sections.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

using Segments = std::vector<std::string_view>;

/// Whether every value that the narrow list admits is admitted by the wide one; an empty list admits all.
template <class T, class Same>
bool admits(const std::vector<T>& wide, const std::vector<T>& narrow, const Same& same) {
  if (wide.empty()) return true;
  return !narrow.empty() && std::all_of(narrow.begin(), narrow.end(), [&](const T& each) {
    return std::any_of(wide.begin(), wide.end(), [&](const T& other) { return same(other, each); });
  });
}

bool admits_listeners(const RouteDraft& wide, const RouteDraft& narrow) {
  return admits(wide.listen, narrow.listen,
                [](const NameAt& left, const NameAt& right) { return left.name == right.name; });
}

bool admits_hosts(const RouteDraft& wide, const RouteDraft& narrow) {
  return admits(wide.route.hosts, narrow.route.hosts, std::equal_to<>());
}

/// GET includes HEAD.
bool admits_methods(const RouteDraft& wide, const RouteDraft& narrow) {
  return admits(wide.route.methods, narrow.route.methods,
                [](const std::string& left, const std::string& right) {
                  return left == right || (left == "GET" && right == "HEAD");
                });
}

bool admits_phases(const RouteDraft& wide, const RouteDraft& narrow) {
  return admits(wide.route.phases, narrow.route.phases, std::equal_to<>());
}

/// Finds for each route the first one before it that takes all its requests. Routes whose pattern starts with
/// a plain segment are looked up by it, so that a long file of routes for many places stays cheap.
class Shadows {
 public:
  explicit Shadows(const std::vector<RouteDraft>& routes) : routes_(routes) {
    segments_.reserve(routes.size());
    for (const RouteDraft& each : routes) segments_.push_back(split_pattern(each.route.path));
  }

  const RouteDraft* find_and_add(std::size_t index) {
    const Segments& narrow = segments_[index];
    const RouteDraft* found = nullptr;
    const std::vector<std::size_t>* const groups[] = {&wild_, find_group(narrow.front())};
    for (const std::vector<std::size_t>* group : groups) {
      if (group == nullptr) continue;
      for (const std::size_t each : *group) {
        if (found != nullptr && found <= &routes_[each]) break;
        if (takes_all(each, index)) found = &routes_[each];
      }
    }
    const bool is_wild = narrow.front().find('*') != std::string_view::npos;
    (is_wild ? wild_ : by_first_[narrow.front()]).push_back(index);
    return found;
  }

 private:
  using Group = std::vector<std::size_t>;  ///< In file order.

  const Group* find_group(std::string_view first) const {
    const auto group = by_first_.find(first);
    return group == by_first_.end() ? nullptr : &group->second;
  }

  bool takes_all(std::size_t wide, std::size_t narrow) const {
    return covers(segments_[wide], segments_[narrow]) && admits_listeners(routes_[wide], routes_[narrow]) &&
           admits_hosts(routes_[wide], routes_[narrow]) && admits_methods(routes_[wide], routes_[narrow]) &&
           admits_phases(routes_[wide], routes_[narrow]);
  }

  const std::vector<RouteDraft>& routes_;
  std::vector<Segments> segments_;
  Group wild_;
  std::unordered_map<std::string_view, Group> by_first_;
};

void warn_shadowed(Sink& sink, const RouteDraft& earlier, const RouteDraft& later) {
  std::string message = "the route " + in_quotes(later.route.name) +
                        " can never match: " + in_quotes(earlier.route.name) + " (" +
                        sink.where(earlier.span, later.span.file) + ") takes all its requests";
  if (earlier.guards.empty() && !later.guards.empty()) message += ", without its guards";
  const std::string cure = "put it before " + in_quotes(earlier.route.name);
  sink.warning(later.has_path ? later.path_span : later.span, std::move(message),
               later.has_name ? cure + "; as it stands only TRIVET_ROUTE leads to it" : cure);
}

/// A guarded route that a client leaves by naming another host, for an open one with the same source.
void warn_of_hosts(Sink& sink, const std::vector<RouteDraft>& routes) {
  std::unordered_map<std::string_view, std::vector<const RouteDraft*>> open_by_source;
  for (const RouteDraft& each : routes) {
    if (each.guards.empty() && each.respond) open_by_source[each.respond->name].push_back(&each);
  }
  for (const RouteDraft& guarded : routes) {
    if (guarded.guards.empty() || guarded.route.hosts.empty() || !guarded.respond) continue;
    const auto open = open_by_source.find(guarded.respond->name);
    if (open == open_by_source.end()) continue;
    const Segments narrow = split_pattern(guarded.route.path);
    for (const RouteDraft* each : open->second) {
      if (admits_hosts(guarded, *each) || !covers(split_pattern(each->route.path), narrow)) continue;
      sink.warning(guarded.has_path ? guarded.path_span : guarded.span,
                   "whoever sends another Host gets around the guards of " + in_quotes(guarded.route.name) +
                       ": " + in_quotes(each->route.name) + " (" + sink.where(each->span, guarded.span.file) +
                       ") is open and has the same source",
                   "let the web server set TRIVET_HOST, or guard both");
      break;
    }
  }
}

}  // namespace

void check_shadowing(Sink& sink, const std::vector<RouteDraft>& routes) {
  Shadows shadows(routes);
  for (std::size_t index = 0; index < routes.size(); ++index) {
    const RouteDraft& later = routes[index];
    const RouteDraft* earlier = shadows.find_and_add(index);
    // A name and no path: a route that TRIVET_ROUTE leads to, and meant so.
    const bool by_name_only = later.has_name && !later.has_path;
    if (earlier != nullptr && !by_name_only) warn_shadowed(sink, *earlier, later);
  }
  warn_of_hosts(sink, routes);
}

}  // namespace trivet::config
