#include "runtime/roles/admission.hpp"

#include "runtime/cgi/request_info.hpp"

namespace trivet::roles {
namespace {

using cgi::RequestPath;

/// In no other role has the parameter a meaning: there it is what somebody wrote into a configuration.
std::optional<config::Phase> phase_of(protocol::Role role, const cgi::Params& params) noexcept {
  if (role != protocol::Role::authorizer) return std::nullopt;
  const std::string_view apache_role = params.get(cgi::KnownParam("FCGI_APACHE_ROLE"));
  if (apache_role == "ACCESS_CHECKER") return config::Phase::access_checker;
  if (apache_role == "AUTHENTICATOR") return config::Phase::authenticator;
  if (apache_role == "AUTHORIZER") return config::Phase::authorizer;
  return std::nullopt;
}

/// One request being let in.
class Admitting {
 public:
  Admitting(protocol::Role role, std::uint32_t listener, const cgi::Params& params, const Router& router,
            AdmissionScratch& scratch, Admission& result)
      : role_(role),
        params_(params),
        router_(router),
        scratch_(scratch),
        result_(result),
        target_(result.target),
        steering_(cgi::read_steering(params)) {
    // What the role on the wire says, unless TRIVET_ROLE says something else.
    result_.slice = role == protocol::Role::authorizer ? Slice::authorizer
                    : role == protocol::Role::filter   ? Slice::filter
                                                       : Slice::responder;
    result_.client_method = params.get(cgi::KnownParam("REQUEST_METHOD"));
    target_.listener = listener;
    target_.phase = result_.phase = phase_of(role, params);
  }

  void run(bool accept_steering) {
    if (steer(accept_steering) && read_method() && read_paths() && find_route()) settle();
  }

 private:
  bool refuse(int status, std::string reason) {
    result_.status = status_in_slice(status, result_.slice);
    result_.reason = std::move(reason);
    return false;
  }

  bool steer(bool accept_steering) {
    if (steering_.any && !choose_steered_slice(accept_steering)) return false;
    if (result_.slice == Slice::authorizer) result_.dialect = cgi::choose_dialect(params_);
    return true;
  }

  bool choose_steered_slice(bool accept_steering) {
    if (!accept_steering) {
      return refuse(500, "the request carries TRIVET_* parameters, which this listener does not accept");
    }
    if (!steering_.unknown.empty()) {
      return refuse(500, "unknown parameter " + std::string(steering_.unknown));
    }
    if (!steering_.empty.empty()) {
      return refuse(500, "the parameter " + std::string(steering_.empty) + " is empty");
    }
    const auto slice = choose_slice(role_, steering_.role);
    if (!slice) {
      return refuse(500, "TRIVET_ROLE is \"" + std::string(steering_.role) +
                             "\", which a request in this role may not ask for");
    }
    result_.slice = *slice;
    return true;
  }

  bool read_method() {
    const std::string_view method = steering_.method.empty() ? result_.client_method : steering_.method;
    if (method.empty()) {
      if (result_.slice == Slice::authorizer) return true;
      return refuse(
          400,
          "REQUEST_METHOD is missing: in nginx a location with a fastcgi_param of its own inherits none, so "
          "include the whole list there");
    }
    if (!cgi::is_method(method)) return refuse(400, "the request method is not a token");
    target_.method = method;
    return true;
  }

  bool parse(RequestPath& path, std::string_view text, RequestPath::Form form, std::string_view from) {
    const std::string_view wrong = path.parse(text, form);
    return wrong.empty() || refuse_path(from, wrong);
  }

  bool refuse_path(std::string_view from, std::string_view wrong) {
    return refuse(400, std::string(from) + " is refused: " + std::string(wrong));
  }

  bool read_paths() {
    const std::string_view script_name = params_.get(cgi::KnownParam("SCRIPT_NAME"));
    const std::string_view path_info = params_.get(cgi::KnownParam("PATH_INFO"));
    const bool has_script_path = !script_name.empty() || !path_info.empty();
    const auto parse_script_path = [&](RequestPath& path) {
      scratch_.joined.assign(script_name);
      scratch_.joined.append(path_info);
      return parse(path, scratch_.joined, RequestPath::Form::decoded, "SCRIPT_NAME");
    };
    const std::string_view uri = params_.get(cgi::KnownParam("REQUEST_URI"));
    if (!steering_.path.empty()) {
      if (!parse(scratch_.path, steering_.path, RequestPath::Form::decoded, "TRIVET_PATH")) return false;
    } else if (!uri.empty()) {
      if (!parse(scratch_.path, uri, RequestPath::Form::uri, "REQUEST_URI")) return false;
    } else if (has_script_path) {
      if (!parse_script_path(scratch_.path)) return false;
    } else if (steering_.route.empty()) {
      return refuse(400, "REQUEST_URI and SCRIPT_NAME are missing");
    } else {
      return true;
    }
    target_.path = &scratch_.path;
    const bool path_is_named = !steering_.path.empty() || !steering_.route.empty();
    if (path_is_named || uri.empty() || !has_script_path) return true;
    if (scratch_.path.is_spelling_of(uri, script_name, path_info)) return true;
    if (!parse_script_path(scratch_.script_path)) return false;
    has_script_path_ = !scratch_.script_path.same(scratch_.path);
    return true;
  }

  bool find_route() {
    if (router_.asks_for_host()) {
      const std::string_view host =
          steering_.host.empty() ? params_.get(cgi::KnownParam("HTTP_HOST")) : steering_.host;
      target_.host = cgi::host_for_matching(host);
    }
    if (steering_.route.empty()) {
      match_ = router_.find(target_);
    } else {
      bool exists = false;
      match_ = router_.find_named(steering_.route, target_, exists);
      if (!exists) {
        return refuse(
            500, "TRIVET_ROUTE is \"" + std::string(steering_.route) + "\", which this listener has not");
      }
    }
    return true;
  }

  void settle() {
    const Decision decision =
        match_.route != nullptr ? match_.route->decision_in(result_.slice) : decide_without_route();
    result_.route = match_.route;
    result_.status = decision.status;
    result_.configuration_error = decision.configuration_error;
    result_.status_after_guards = decision.status_after_guards;
    if (decision.status != 0) {
      result_.reason = decision.reason;
      if (decision.status == 405) result_.allow = allowed();
      return;
    }
    if (is_odd(scratch_.path) && match_.route->guarded_on(result_.slice) &&
        !match_.route->config.allow_odd_paths) {
      refuse(400, "the path has an empty segment or is not UTF-8, which a guarded route refuses");
      return;
    }
    if (hides_guarded_path()) {
      refuse(400,
             "the path has an empty segment or an encoded slash, and without it is another, guarded route's");
      return;
    }
    add_other_guards();
  }

  [[nodiscard]] Decision decide_without_route() const noexcept {
    Situation at;
    at.slice = result_.slice;
    at.phase_fits = match_.phase_fits;
    at.method_fits = match_.method_fits;
    return decide(at);
  }

  [[nodiscard]] std::string allowed() const {
    return steering_.route.empty() ? router_.allowed(target_) : methods_of(*match_.but_for_method);
  }

  /// Who stands behind the route may take `//` and `%2F` for one slash: PHP's frameworks do.
  bool hides_guarded_path() {
    if (target_.path == nullptr || !steering_.route.empty() || scratch_.path.is_plain()) return false;
    const auto& segments = scratch_.path.segments();
    std::string& joined = scratch_.collapsed_text;
    joined.clear();
    bool differs = false;
    for (std::size_t at = 0; at < segments.size(); ++at) {
      const bool last = at + 1 == segments.size();
      differs =
          differs || (segments[at].empty() && !last) || segments[at].find('/') != std::string_view::npos;
      if (joined.empty() || joined.back() != '/') joined += '/';
      for (const char each : segments[at]) {
        if (each != '/' || joined.back() != '/') joined += each;
      }
    }
    if (!differs) return false;
    if (!scratch_.collapsed.parse(joined, RequestPath::Form::decoded).empty()) return true;
    Target other = target_;
    other.path = &scratch_.collapsed;
    const Match match = router_.find(other);
    return match.route != nullptr && match.route != match_.route && match.route->guarded_on(result_.slice);
  }

  [[nodiscard]] bool is_odd(const RequestPath& path) const { return target_.path != nullptr && path.odd(); }

  void add_other_guards() {
    if (!has_script_path_) return;
    Target other = target_;
    other.path = &scratch_.script_path;
    Match match = router_.find(other);
    // Asked for by its own name it would be 405: renamed it is no more than that.
    if (match.route == nullptr) match.route = match.but_for_method;
    if (match.route == nullptr || match.route == match_.route || !match.route->guarded_on(result_.slice))
      return;
    if (scratch_.script_path.odd() && !match.route->config.allow_odd_paths) {
      refuse(400, "SCRIPT_NAME has an empty segment or is not UTF-8, which a guarded route refuses");
      return;
    }
    result_.also_guarded_by = match.route;
  }

  protocol::Role role_;
  const cgi::Params& params_;
  const Router& router_;
  AdmissionScratch& scratch_;
  Admission& result_;
  Target& target_;
  const cgi::Steering steering_;
  Match match_;
  bool has_script_path_ = false;
};

}  // namespace

void admit(protocol::Role role, std::uint32_t listener, bool accept_steering, const cgi::Params& params,
           const Router& router, AdmissionScratch& scratch, Admission& result) {
  result.clear();
  Admitting(role, listener, params, router, scratch, result).run(accept_steering);
}

}  // namespace trivet::roles
