#include "runtime/roles/decision.hpp"

namespace trivet::roles {

std::optional<Slice> choose_slice(protocol::Role role, std::string_view steered_role) noexcept {
  switch (role) {
    case protocol::Role::responder:
      if (steered_role.empty() || steered_role == "responder") return Slice::responder;
      if (steered_role == "authorizer") return Slice::authorizer;
      if (steered_role == "filter") return Slice::filter;
      return std::nullopt;
    case protocol::Role::authorizer:
      if (steered_role.empty() || steered_role == "authorizer") return Slice::authorizer;
      return std::nullopt;
    case protocol::Role::filter:
      if (steered_role.empty() || steered_role == "filter") return Slice::filter;
      return std::nullopt;
  }
  return std::nullopt;
}

Decision decide(const Situation& at) noexcept {
  if (!at.route_found) {
    if (!at.phase_fits) {
      return {status_in_slice(404, at.slice), "the route that TRIVET_ROUTE names is for another phase"};
    }
    return at.method_fits ? Decision{status_in_slice(404, at.slice), "no route"}
                          : Decision{status_in_slice(405, at.slice), "no route for this method"};
  }
  switch (at.slice) {
    case Slice::authorizer:
      if (!at.has_guards) return {403, "the route has no authorize: nothing to ask", true};
      if (!at.guards_apply) return {403, "authorize_on leaves the authorizer out", true};
      if (!at.guards_decide) return {403, "every guard of the route is a shadow: none decides", true};
      return {};
    case Slice::filter:
      if (!at.has_filters) return {500, "the route has no filter", true};
      return {};
    case Slice::responder:
      if (!at.has_source) return {0, "the route has no respond", false, 404};
      return {};
  }
  return {500, "unknown slice", true};
}

int status_in_slice(int status, Slice slice) noexcept {
  const bool refusal = status == 400 || status == 404 || status == 405;
  return slice == Slice::authorizer && refusal ? 403 : status;
}

}  // namespace trivet::roles
