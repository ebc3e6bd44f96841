#include <array>
#include <chrono>
#include <string>
#include <vector>

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

/// Nothing when one of the two was not reached.
template <log::FieldName name>
void put_time(log::LineBuilder& line, base::TimePoint from, base::TimePoint to) noexcept {
  if (from == base::TimePoint{} || to == base::TimePoint{}) {
    line.text<name>({});
  } else {
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
    line.milliseconds<name>(static_cast<std::uint64_t>(passed > 0 ? passed : 0));
  }
}

}  // namespace

/// Where there is an access log, once, when it is over: `end` is complete, cut (it failed after its head),
/// aborted (by the web server) or gone (the connection was).
void Request::tell_access(std::string_view end) {
  const base::TimePoint head = writer_.head_written();
  const base::TimePoint now = writer_.whole_with_head() ? head : env_.loop.exact_now();
  // A refusal's head ends the stage that refused.
  const base::TimePoint guards = stamps_.guards == base::TimePoint{} ? head : stamps_.guards;
  // Of an authorizer's request the guards say who it is, of others their verdict is among the parameters.
  const auto* const named =
      slice_ == Slice::authorizer ? guards_.collected().find_variable("REMOTE_USER") : nullptr;
  std::array<std::string_view, 3> clean = {params_.get("REMOTE_ADDR"), params_.get("REMOTE_USER"),
                                           params_.get("REQUEST_URI")};
  std::vector<std::string> scratch;
  redact(params_, env_.journal.redact, clean, scratch);
  const auto& [client, user, uri] = clean;

  log::LineBuilder line = env_.journal.access->begin(now);
  line.text<"route">(route_name());
  line.word<"role">(name_of(slice_));
  if (writer_.status() == 0) {
    line.text<"status">({});
  } else {
    line.number<"status">(static_cast<std::uint64_t>(writer_.status()));
  }
  line.word<"end">(end);
  line.number<"received">(body_.received + data_.received);
  line.number<"sent">(writer_.body_sent());
  put_time<"params_ms">(line, begun_, stamps_.params);
  put_time<"guards_ms">(line, stamps_.params, guards);
  put_time<"head_ms">(line, stamps_.guards, head);
  put_time<"body_ms">(line, head, now);
  put_time<"total_ms">(line, begun_, now);
  line.text<"request">(facts_.request_id);
  line.text<"client">(client);
  line.text<"user">(named != nullptr ? std::string_view(named->value) : user);
  line.text<"method">(params_.get("REQUEST_METHOD"));
  line.text<"uri">(uri);
  env_.journal.access->end(line);
}

}  // namespace trivet::roles
