#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <trivet/basic.hpp>
#include <utility>
#include <vector>

namespace trivet {

/// What an authorizer decided: `return trivet::allow().set("REMOTE_USER", user);` or
/// `return trivet::deny(401).header("WWW-Authenticate", "Basic realm=\"x\"").reason("no password");`. A
/// verdict that was never made denies with 403.
///
/// Errors    Nothing is checked here; what the host refuses (a variable with a line break, deny(200)) fails
///           the hook, and a failure denies.
class Verdict {
 public:
  /// Denies.
  Verdict() = default;

  /// A variable of the allowed request; the route has to declare it. Of no use with a deny.
  Verdict& set(std::string_view name, std::string_view value) & { return push(variables_, name, value); }
  Verdict&& set(std::string_view name, std::string_view value) && { return std::move(set(name, value)); }
  /// A header of the answer. Of an allow only Set-Cookie goes to the client: with the response that follows,
  /// and by a web server that asks and can pass it on (nginx, Caddy, HAProxy).
  Verdict& header(std::string_view name, std::string_view value) & { return push(headers_, name, value); }
  Verdict&& header(std::string_view name, std::string_view value) && {
    return std::move(header(name, value));
  }
  /// The body of a deny.
  Verdict& body(std::string_view text) & {
    body_ = text;
    return *this;
  }
  Verdict&& body(std::string_view text) && { return std::move(body(text)); }
  /// Why, for the log; never for the client.
  Verdict& reason(std::string_view text) & {
    reason_ = text;
    return *this;
  }
  Verdict&& reason(std::string_view text) && { return std::move(reason(text)); }

  /// How long the route's `cache` may remember it, at most; 0: not at all. Without it as long as the route
  /// says.
  Verdict& cache_for(std::chrono::nanoseconds lifetime) & {
    lifetime_ = lifetime;
    return *this;
  }
  Verdict&& cache_for(std::chrono::nanoseconds lifetime) && { return std::move(cache_for(lifetime)); }

  [[nodiscard]] bool allows() const noexcept { return decision_ == Decision::allow; }

  /// Tells the host; called by the SDK when `check` has returned.
  void tell(const trivet_host& host, trivet_request* request) const {
    for (const auto& [name, value] : headers_) {
      sdk::require(host.add_header(request, sdk::text(name), sdk::text(value)), "adding header", name);
    }
    if (lifetime_) {
      const auto lifetime = lifetime_->count() > 0 ? static_cast<std::uint64_t>(lifetime_->count()) : 0;
      sdk::require(host.cache_for(request, lifetime), "bounding the cache");
    }
    if (allows()) {
      for (const auto& [name, value] : variables_) {
        sdk::require(host.set_variable(request, sdk::text(name), sdk::text(value)), "setting variable", name);
      }
      sdk::require(host.allow(request), "allowing");
      return;
    }
    if (!body_.empty()) sdk::require(host.write(request, body_.data(), body_.size()), "writing");
    std::string_view reason = reason_;
    if (decision_ == Decision::none) reason = "the plugin made no verdict";
    sdk::require(host.deny(request, status_, sdk::text(reason)), "denying with status",
                 std::to_string(status_));
  }

 private:
  enum class Decision : std::uint8_t { none, allow, deny };
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  friend Verdict allow();
  friend Verdict deny(unsigned status);

  Verdict(Decision decision, unsigned status) : decision_(decision), status_(status) {}
  Verdict& push(Pairs& pairs, std::string_view name, std::string_view value) {
    pairs.emplace_back(name, value);
    return *this;
  }

  Decision decision_ = Decision::none;
  unsigned status_ = 403;
  Pairs variables_;
  Pairs headers_;
  std::string body_;
  std::string reason_;
  std::optional<std::chrono::nanoseconds> lifetime_;
};

[[nodiscard]] inline Verdict allow() { return {Verdict::Decision::allow, 200}; }
/// `status` is 301-303, 307, 308, 4xx or 5xx.
[[nodiscard]] inline Verdict deny(unsigned status = 403) { return {Verdict::Decision::deny, status}; }

}  // namespace trivet
