#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/roles/route.hpp"

namespace trivet::roles {

/// What a request is matched by. Host and method may be empty: unknown.
struct Target {
  std::uint32_t listener = 0;
  const cgi::RequestPath* path = nullptr;
  std::string_view host;  ///< Without port and final dot.
  std::string_view method;
  std::optional<config::Phase> phase;  ///< Only for an authorizer request of Apache.
};

struct Match {
  const Route* route = nullptr;
  bool phase_fits = true;                 ///< False where TRIVET_ROUTE names a route for other phases.
  bool method_fits = true;                ///< False where some route would have matched but for its methods.
  const Route* but_for_method = nullptr;  ///< The first of those, when there is no route.
};

/// As an Allow field.
[[nodiscard]] std::string methods_of(const Route& route);

/// The first of a route's conditions that a request does not meet.
enum class Mismatch : std::uint8_t { none, listener, path, host, phase, method };

/// For telling people; Router asks the same questions. `target.path` is there.
[[nodiscard]] Mismatch mismatch(const Route& route, const Target& target);

/// The routes, in file order: the first match wins. Which of them are looked at is found by the segments of
/// the path, in a tree of those that the routes begin with up to their first wildcard, and by the host: what
/// a match costs does not grow with the number of routes, but with that of those that begin alike and have
/// the same host.
///
/// Thread    [loop]; constant once built.
class Router {
 public:
  explicit Router(std::vector<std::unique_ptr<Route>> routes);

  [[nodiscard]] Match find(const Target& target) const;
  /// The methods of all routes that match in everything else, as an Allow field: for when none does in that.
  [[nodiscard]] std::string allowed(const Target& target) const;
  /// By name, for TRIVET_ROUTE: overrides path and hosts, not methods, phase and listen.
  [[nodiscard]] Match find_named(std::string_view name, const Target& target, bool& exists) const;
  /// False: no route has `hosts`, and a target needs no host.
  [[nodiscard]] bool asks_for_host() const noexcept { return asks_for_host_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Route>>& routes() const noexcept { return routes_; }

 private:
  using Numbers = std::vector<std::uint32_t>;  ///< Of routes, ascending.
  struct HashOfHost {
    [[nodiscard]] std::size_t operator()(std::string_view host) const noexcept;
  };
  struct SameHost {
    [[nodiscard]] bool operator()(std::string_view a, std::string_view b) const noexcept;
  };
  /// The routes whose pattern ends here, or has its first wildcard next.
  struct Node {
    std::string_view segment;  ///< That leads here, a view of a pattern's;
    std::uint32_t parent = 0;  ///< from there.
    Numbers of_any_host;
    /// Those with `hosts`, at each of them: in any case. Views of the routes'.
    std::unordered_map<std::string_view, Numbers, HashOfHost, SameHost> of_host;
  };

  /// A place of the table of nodes.
  struct Place {
    std::uint32_t hash = 0;  ///< Of the segment and the parent.
    std::uint32_t node = 0;  ///< 0, which is the root and nobody's child: the place is empty.
  };

  void add_to_tree(std::uint32_t number);
  std::uint32_t add_node(std::uint32_t parent, std::string_view segment);
  void grow_table();
  void add_place(std::uint32_t node);
  /// The node that the segment leads to, or 0.
  [[nodiscard]] std::uint32_t child(std::uint32_t parent, std::string_view segment) const noexcept;
  /// Calls `visit(route, known)` for the routes that may match, in file order, until it gives true. The
  /// path's first `known` segments are the route's.
  template <class Visit>
  void visit(const Target& target, Visit visit) const;

  std::vector<std::unique_ptr<Route>> routes_;
  std::vector<Node> tree_;  ///< The root is first.
  /// Where in the tree a segment of a node leads: an open hash table, at most a quarter full. A client's
  /// paths are looked up in it, but what is in it is the configuration's: none of them makes it slow.
  std::vector<Place> places_;
  std::uint32_t shift_ = 0;  ///< A hash's first place is made of its high bits.
  bool asks_for_host_ = false;
  std::unordered_map<std::string_view, const Route*> by_name_;
};

}  // namespace trivet::roles
