#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/cgi/verdict.hpp"
#include "runtime/config/config.hpp"
#include "runtime/plugin/plugin.hpp"
#include "runtime/roles/verdict_cache.hpp"

namespace trivet::roles {

/// One guard of a route: a plugin, the built-in allow or deny, or a group of guards of which all or any have
/// to allow.
///
/// Lifetime  Part of its Route. `name` and `methods` look at the configuration, which the Route has too.
struct Guard {
  config::Guard::Kind kind = config::Guard::Kind::deny;
  plugin::Plugin* plugin = nullptr;  ///< Only for Kind::plugin.
  std::string_view name = {};        ///< For logs.
  std::span<const std::string> methods = {};
  bool allow_on_error = false;
  bool shadow = false;
  bool decides = true;                       ///< No shadow, nor a group of nothing else.
  std::unique_ptr<VerdictCache> cache = {};  ///< Null: it is asked each time. The loop's alone.
  std::vector<Guard> guards = {};            ///< Of a group.

  [[nodiscard]] bool is_group() const noexcept {
    return kind == config::Guard::Kind::all || kind == config::Guard::Kind::any;
  }
};

/// `find` gives the plugin of a guard, `random` seeds for caches. `from` outlives the result.
[[nodiscard]] std::vector<Guard> join_guards(const std::vector<config::Guard>& from,
                                             const std::function<plugin::Plugin*(const config::Guard&)>& find,
                                             const std::function<std::uint64_t()>& random);

/// What one guard said of one request.
struct GuardAnswer {
  const Guard* guard = nullptr;  ///< Null: there was none to ask.
  int failed = 0;                ///< 0: the verdict counts. Otherwise the status of the failure.
  std::string failure;
  cgi::Verdict verdict;
  std::string reason;
  bool is_remembered = false;

  /// As an answer to a client it says how to get in: 401, or a redirect.
  [[nodiscard]] bool is_challenge() const noexcept {
    const int status = verdict.head().status();
    return failed == 0 && (status == 401 || (status >= 300 && status < 400));
  }
  [[nodiscard]] int status() const noexcept { return failed != 0 ? failed : verdict.head().status(); }
};

}  // namespace trivet::roles
