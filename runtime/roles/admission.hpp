#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/cgi/dialect.hpp"
#include "runtime/cgi/params.hpp"
#include "runtime/cgi/request_path.hpp"
#include "runtime/protocol/record.hpp"
#include "runtime/roles/decision.hpp"
#include "runtime/roles/router.hpp"

namespace trivet::roles {

/// Room for admit() to work in, kept from request to request so that nothing is allocated in steady state.
struct AdmissionScratch {
  cgi::RequestPath path;
  cgi::RequestPath script_path;
  cgi::RequestPath collapsed;
  std::string joined;          ///< What `path` or `script_path` may have been parsed from.
  std::string collapsed_text;  ///< And `collapsed`.
};

/// What a request is let in as, before any plugin ran. Kept from request to request too, for its texts.
struct Admission {
  int status = 0;  ///< 0: let in. Otherwise the status of the refusal, right for the slice.
  std::string reason;
  std::string allow;  ///< For 405.
  bool configuration_error = false;
  Slice slice = Slice::responder;
  std::optional<config::Phase> phase;  ///< FCGI_APACHE_ROLE of a request in the role AUTHORIZER.
  /// The form of its answer, where the slice is an authorizer's.
  std::optional<cgi::ChosenDialect> dialect;
  const Route* route = nullptr;
  /// Another guarded route that SCRIPT_NAME+PATH_INFO matches: its guards run first, so that a rewrite in the
  /// web server cannot part a guard from its source.
  const Route* also_guarded_by = nullptr;
  int status_after_guards = 0;
  std::string_view client_method;  ///< REQUEST_METHOD, whatever the routes were matched by.
  /// What routes were matched by, as far as it was read; `path` is in the scratch, and lasts as long as the
  /// parameters.
  Target target;

  void clear() noexcept {
    status = status_after_guards = 0;
    reason.clear();
    allow.clear();
    configuration_error = false;
    phase.reset();
    dialect.reset();
    route = also_guarded_by = nullptr;
    target = {};
  }
};

/// Reads the settled parameters: steering, slice, matching path, host, method, route. What `result` held
/// before does not matter.
///
/// Thread  [loop]; reads only.
void admit(protocol::Role role, std::uint32_t listener, bool accept_steering, const cgi::Params& params,
           const Router& router, AdmissionScratch& scratch, Admission& result);

}  // namespace trivet::roles
