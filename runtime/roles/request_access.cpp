#include <array>
#include <charconv>
#include <chrono>

#include "runtime/roles/request.hpp"

/// The line of a request in the access log.
namespace trivet::roles {
namespace {

/// A number as text, in place.
class Digits {
 public:
  explicit Digits(std::uint64_t value) noexcept {
    size_ = static_cast<std::size_t>(std::to_chars(text_.data(), text_.data() + text_.size(), value).ptr -
                                     text_.data());
  }
  /// Milliseconds with three decimals; nothing when one of the two was not reached.
  Digits(base::TimePoint from, base::TimePoint to) noexcept {
    if (from == base::TimePoint{} || to == base::TimePoint{}) return;
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
    const auto micro = static_cast<std::uint64_t>(passed > 0 ? passed : 0);
    *this = Digits(micro / 1000);
    text_[size_++] = '.';
    for (std::uint64_t unit = 100; unit > 0; unit /= 10)
      text_[size_++] = static_cast<char>('0' + micro / unit % 10);
  }
  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 24> text_{};
  std::size_t size_ = 0;
};

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

/// Once, when it is over: `end` is complete, cut (it failed after its head), aborted (by the web server) or
/// gone (the connection was).
void Request::tell_access(std::string_view end) {
  if (env_.journal.access == nullptr) return;
  const base::TimePoint now = env_.loop.exact_now();
  const auto status = static_cast<std::uint64_t>(writer_.status());
  const base::TimePoint head = writer_.head_written();
  std::string scratch[3];  // NOLINT(*-avoid-c-arrays)
  const auto clean = [&](std::string_view name, std::string& room) {
    return redacted(params_, env_.journal.redact, params_.get(name), room);
  };
  // Of an authorizer's request the guards say who it is, of others their verdict is among the parameters.
  const auto* named =
      slice_ == Slice::authorizer ? guards_.collected().find_variable("REMOTE_USER") : nullptr;
  // A refusal's head ends the stage that refused.
  const base::TimePoint guards = stamps_.guards == base::TimePoint{} ? head : stamps_.guards;
  env_.journal.access->write(
      log::Level::info, "access",
      {{"route", route_name()},
       {"role", name_of(slice_)},
       {"status", status == 0 ? std::string_view() : Digits(status).view()},
       {"end", end},
       {"received", Digits(body_.received + data_.received).view()},
       {"sent", Digits(writer_.body_sent()).view()},
       {"params_ms", Digits(stamps_.begun, stamps_.params).view()},
       {"guards_ms", Digits(stamps_.params, guards).view()},
       {"head_ms", Digits(stamps_.guards, head).view()},
       {"body_ms", Digits(head, now).view()},
       {"total_ms", Digits(stamps_.begun, now).view()},
       {"request", facts_.request_id},
       {"client", clean("REMOTE_ADDR", scratch[2])},
       {"user", named != nullptr ? std::string_view(named->value) : clean("REMOTE_USER", scratch[1])},
       {"method", params_.get("REQUEST_METHOD")},
       {"uri", clean("REQUEST_URI", scratch[0])}});
}

}  // namespace trivet::roles
