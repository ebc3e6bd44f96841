#include <array>
#include <optional>
#include <string>
#include <vector>

#include "runtime/log/line_builder.hpp"
#include "runtime/roles/request.hpp"

/// The line of a request in the access log.
namespace trivet::roles {
namespace {

std::string_view name_of(Slice slice) noexcept {
  switch (slice) {
    case Slice::responder:
      return "responder";
    case Slice::authorizer:
      return "authorizer";
    case Slice::filter:
      return "filter";
  }
  return "responder";
}

}  // namespace

/// Where there is an access log, once, when it is over: `end` is complete, cut (it failed after its head),
/// aborted (by the web server) or gone (the connection was).
void Request::tell_access(std::string_view end) {
  const base::TimePoint head = writer_.head_written();
  const base::TimePoint now = writer_.whole_with_head() ? head : env_.loop.exact_now();
  // Guards end with what they say, or with the head that they refuse by. Where there are none, there is no
  // such stage; nor is there a body's where it went with its head.
  const bool guarded = !guards_.routes().empty();
  const base::TimePoint guards = stamps_.guards == base::TimePoint{} ? head : stamps_.guards;
  // Of an authorizer's request the guards say who it is, of others their verdict is among the parameters.
  const auto* const named =
      slice_ == Slice::authorizer ? guards_.collected().find_variable("REMOTE_USER") : nullptr;
  const bool is_own_id = env_.journal.request_id.empty();  // Hexadecimal digits.
  std::array<std::string_view, 5> clean = {
      is_own_id ? std::string_view() : facts_.request_id,
      params_.get(cgi::KnownParam("REMOTE_ADDR")),
      named != nullptr ? std::string_view(named->value) : params_.get(cgi::KnownParam("REMOTE_USER")),
      params_.get(cgi::KnownParam("REQUEST_METHOD")),
      params_.get(cgi::KnownParam("REQUEST_URI")),
  };
  std::vector<std::string> scratch;
  redact(params_, env_.journal.redact, clean, scratch);
  const auto& [given_id, client, user, method, uri] = clean;

  log::LineBuilder line = env_.journal.access->begin(now);
  const auto route = route_ == nullptr ? log::Text<"route">{}
                                       : log::Text<"route">{route_->config.name, route_->has_bare_name};
  const std::optional<std::uint64_t> status =
      writer_.status() == 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(writer_.status()));
  line.fields(route, log::Text<"role">{name_of(slice_), true}, log::Number<"status">{status},
              log::Text<"end">{end, true}, log::Number<"received">{body_.received + data_.received},
              log::Number<"sent">{writer_.body_sent()},
              log::Number<"params_us">{log::microseconds(begun_, stamps_.params)},
              log::Number<"guards_us">{guarded ? log::microseconds(stamps_.params, guards) : std::nullopt},
              log::Number<"head_us">{log::microseconds(guarded ? stamps_.guards : stamps_.params, head)},
              log::Number<"body_us">{writer_.whole_with_head() ? std::nullopt : log::microseconds(head, now)},
              log::Number<"total_us">{log::microseconds(begun_, now)},
              log::Text<"request">{is_own_id ? facts_.request_id : given_id, is_own_id},
              log::Text<"client">{client}, log::Text<"user">{user}, log::Text<"method">{method},
              log::Text<"uri">{uri});
  env_.journal.access->end(line);
}

}  // namespace trivet::roles
