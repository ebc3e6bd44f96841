#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/protocol/record.hpp"

namespace trivet::roles {

/// The part of a route's pipeline that a request runs: guards -> source -> filters.
enum class Slice : std::uint8_t {
  responder,   ///< guards, then source, then filters: a CGI response
  authorizer,  ///< guards: the verdict
  filter,      ///< guards, then filters over FCGI_DATA (or, steered, over the request body): a CGI response
};

/// The slice of a request, or nothing when TRIVET_ROLE may not say what it says: unknown, or on a request
/// that is not in the role RESPONDER anything but that role. `steered_role` is TRIVET_ROLE, empty when
/// absent.
[[nodiscard]] std::optional<Slice> choose_slice(protocol::Role role, std::string_view steered_role) noexcept;

/// What is known once route and slice are.
struct Situation {
  Slice slice = Slice::responder;
  bool route_found = false;
  bool phase_fits = true;     ///< False: the route that was named is for other phases.
  bool method_fits = true;    ///< False: a route matched but for its methods.
  bool has_guards = false;    ///< The route has `authorize`.
  bool guards_apply = false;  ///< ... and `authorize_on` names this slice.
  bool guards_decide = true;  ///< ... and not every one is a shadow.
  bool has_source = false;
  bool has_filters = false;
};

/// What happens to a request before any plugin runs. Nothing is granted by emptiness.
struct Decision {
  /// 0: go on. Otherwise the status of the answer, with the text for the log.
  int status = 0;
  std::string_view reason;
  /// The operator made a mistake: logged once per route as an error.
  bool configuration_error = false;
  /// RESPONDER without a source: this is the answer after the guards allowed.
  int status_after_guards = 0;
};

[[nodiscard]] Decision decide(const Situation& situation) noexcept;

/// The status that a refusal gets in a slice: an authorizer says 403 where others say 400, 404 or 405.
[[nodiscard]] int status_in_slice(int status, Slice slice) noexcept;

}  // namespace trivet::roles
