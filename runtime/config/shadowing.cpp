#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "runtime/config/guards.hpp"
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

/// Whether some value is admitted by both lists.
template <class T, class Same>
bool share(const std::vector<T>& left, const std::vector<T>& right, const Same& same) {
  return left.empty() || right.empty() || std::any_of(left.begin(), left.end(), [&](const T& each) {
           return std::any_of(right.begin(), right.end(),
                              [&](const T& other) { return same(each, other) || same(other, each); });
         });
}

/// Nothing keeps anybody out of it.
bool is_open(const RouteDraft& draft) { return !some_decide(draft.route.authorize); }

bool same_listener(const NameAt& left, const NameAt& right) { return left.name == right.name; }

/// GET includes HEAD.
bool includes_method(const std::string& wide, const std::string& narrow) {
  return wide == narrow || (wide == "GET" && narrow == "HEAD");
}

bool admits_listeners(const RouteDraft& wide, const RouteDraft& narrow) {
  return admits(wide.listen, narrow.listen, same_listener);
}

bool admits_hosts(const RouteDraft& wide, const RouteDraft& narrow) {
  return admits(wide.route.hosts, narrow.route.hosts, std::equal_to<>());
}

bool admits_methods(const RouteDraft& wide, const RouteDraft& narrow) {
  return admits(wide.route.methods, narrow.route.methods, includes_method);
}

bool admits_phases(const RouteDraft& wide, const RouteDraft& narrow) {
  return admits(wide.route.phases, narrow.route.phases, std::equal_to<>());
}

/// Finds for each route the first one before it that takes all its requests, and for each guarded one the
/// first open one before it that takes some of them. Routes whose pattern starts with a plain segment are
/// looked up by it, so that a long file of routes for many places stays cheap.
class Shadows {
 public:
  explicit Shadows(const std::vector<RouteDraft>& routes) : routes_(routes) {
    segments_.reserve(routes.size());
    for (const RouteDraft& each : routes) segments_.push_back(split_pattern(each.route.path));
  }

  /// The one before `index` that takes all its requests; null: none.
  [[nodiscard]] const RouteDraft* find_cover(std::size_t index) const {
    const std::string_view first = segments_[index].front();
    return find_first({&wild_, find_group(first)}, [&](std::size_t each) { return takes_all(each, index); });
  }
  /// The open one before `index` that takes some of its requests and others besides: an exception would take
  /// no others.
  [[nodiscard]] const RouteDraft* find_crossing(std::size_t index) const {
    const std::string_view first = segments_[index].front();
    const auto crosses = [&](std::size_t each) {
      return is_open(routes_[each]) && takes_some(each, index) && !takes_all(index, each);
    };
    if (is_wild(first)) return find_first({&all_, nullptr}, crosses);
    return find_first({&wild_, find_group(first)}, crosses);
  }
  void add(std::size_t index) {
    const std::string_view first = segments_[index].front();
    (is_wild(first) ? wild_ : by_first_[first]).push_back(index);
    all_.push_back(index);
  }

 private:
  using Group = std::vector<std::size_t>;  ///< In file order.

  static bool is_wild(std::string_view segment) { return segment.find('*') != std::string_view::npos; }

  template <class Wanted>
  [[nodiscard]] const RouteDraft* find_first(std::array<const Group*, 2> groups, const Wanted& wanted) const {
    const RouteDraft* found = nullptr;
    for (const Group* group : groups) {
      if (group == nullptr) continue;
      for (const std::size_t each : *group) {
        if (found != nullptr && found <= &routes_[each]) break;
        if (wanted(each)) found = &routes_[each];
      }
    }
    return found;
  }

  const Group* find_group(std::string_view first) const {
    const auto group = by_first_.find(first);
    return group == by_first_.end() ? nullptr : &group->second;
  }

  bool takes_all(std::size_t wide, std::size_t narrow) const {
    return covers(segments_[wide], segments_[narrow]) && admits_listeners(routes_[wide], routes_[narrow]) &&
           admits_hosts(routes_[wide], routes_[narrow]) && admits_methods(routes_[wide], routes_[narrow]) &&
           admits_phases(routes_[wide], routes_[narrow]);
  }
  bool takes_some(std::size_t left, std::size_t right) const {
    const Route& one = routes_[left].route;
    const Route& other = routes_[right].route;
    return meet(segments_[left], segments_[right]) &&
           share(routes_[left].listen, routes_[right].listen, same_listener) &&
           share(one.hosts, other.hosts, std::equal_to<>()) &&
           share(one.methods, other.methods, includes_method);
  }

  const std::vector<RouteDraft>& routes_;
  std::vector<Segments> segments_;
  Group all_;
  Group wild_;
  std::unordered_map<std::string_view, Group> by_first_;
};

void warn_shadowed(Sink& sink, const RouteDraft& earlier, const RouteDraft& later) {
  std::string message = "the route " + in_quotes(later.route.name) +
                        " can never match: " + in_quotes(earlier.route.name) + " (" +
                        sink.where(earlier.span, later.span.file) + ") takes all its requests";
  if (is_open(earlier) && !is_open(later)) message += ", without its guards";
  const std::string cure = "put it before " + in_quotes(earlier.route.name);
  sink.warning(later.has_path ? later.path_span : later.span, std::move(message),
               later.has_name ? cure + "; as it stands only TRIVET_ROUTE leads to it" : cure);
}

void warn_crossed(Sink& sink, const RouteDraft& open, const RouteDraft& guarded) {
  sink.warning(guarded.has_path ? guarded.path_span : guarded.span,
               "some requests of " + in_quotes(guarded.route.name) +
                   " never meet its guards: " + in_quotes(open.route.name) + " (" +
                   sink.where(open.span, guarded.span.file) + ") takes them first, and is open",
               "put it before " + in_quotes(open.route.name) + ", or guard both");
}

/// A guarded route that a client leaves by naming another host, for an open one with the same source.
void warn_of_hosts(Sink& sink, const std::vector<RouteDraft>& routes) {
  std::unordered_map<std::string_view, std::vector<const RouteDraft*>> open_by_source;
  for (const RouteDraft& each : routes) {
    if (is_open(each) && each.respond) open_by_source[each.respond->name].push_back(&each);
  }
  for (const RouteDraft& guarded : routes) {
    if (is_open(guarded) || guarded.route.hosts.empty() || !guarded.respond) continue;
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
    const RouteDraft* earlier = shadows.find_cover(index);
    // A name and no path: a route that TRIVET_ROUTE leads to, and meant so.
    const bool by_name_only = later.has_name && !later.has_path;
    if (earlier != nullptr && !by_name_only) {
      warn_shadowed(sink, *earlier, later);
    } else if (earlier == nullptr && !is_open(later) && later.route.phases.empty() && !by_name_only) {
      // A phase is asked of an authorizer alone, and an open route grants those nothing.
      if (const RouteDraft* open = shadows.find_crossing(index)) warn_crossed(sink, *open, later);
    }
    shadows.add(index);
  }
  warn_of_hosts(sink, routes);
}

}  // namespace trivet::config
