#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/log/line_builder.hpp"
#include "runtime/roles/request.hpp"

/// The line of a request in the access log.
namespace trivet::roles {
namespace {

// What a request did not have, or wait for, its line leaves out, and what is usual: most are a responder's,
// are answered completely, have no body, and all of their parameters come at once.
using SliceField = log::OneOf<"role", "", "authorizer", "filter">;
static_assert(static_cast<int>(Slice::responder) == 0 && static_cast<int>(Slice::authorizer) == 1 &&
              static_cast<int>(Slice::filter) == 2);
using EndField = log::OneOf<"end", "", "cut", "aborted", "gone">;

std::optional<std::uint64_t> unless_none(std::optional<std::uint64_t> value) noexcept {
  return value.value_or(0) == 0 ? std::nullopt : value;
}

}  // namespace

/// Where there is an access log, once, when it is over.
void Request::tell_access(End end) {
  static_assert(static_cast<int>(End::complete) == 0 && static_cast<int>(End::cut) == 1 &&
                static_cast<int>(End::aborted) == 2 && static_cast<int>(End::gone) == 3);
  env_.journal.access->expect();
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
  line.fields(route, SliceField{static_cast<std::size_t>(slice_)},
              log::Number<"status">{unless_none(static_cast<std::uint64_t>(writer_.status()))},
              EndField{static_cast<std::size_t>(end)},
              log::Number<"received">{unless_none(body_.received + data_.received)},
              log::Number<"sent">{writer_.body_sent()},
              log::Number<"params_us">{unless_none(log::microseconds(begun_, stamps_.params))},
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
