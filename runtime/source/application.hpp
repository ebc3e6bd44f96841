#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "runtime/config/config.hpp"
#include "runtime/roles/source.hpp"
#include "runtime/source/dialer.hpp"
#include "runtime/source/link_pool.hpp"
#include "runtime/source/script.hpp"

namespace trivet::source {

/// `respond = { fastcgi = ... }`: another FastCGI application answers, such as PHP-FPM.
///
/// Thread    [loop].
/// Lifetime  As roles::Source; the loop outlives it, because it keeps connections. Routes with the same
///           application have a pool each.
class Application final : public roles::Source {
 public:
  /// `pattern`: the route's path, whose `**` says which part of a request's path is looked for below `root`.
  Application(const config::Application& from, std::string_view pattern, std::unique_ptr<Dialer> dialer);

  [[nodiscard]] std::unique_ptr<roles::Stage> open(roles::StageSink& sink,
                                                   const roles::CallFacts& facts) override;
  [[nodiscard]] const LinkPool& pool() const noexcept { return pool_; }

 private:
  friend class ApplicationStage;

  std::string address_;
  std::optional<ScriptFinder> scripts_;  ///< Absent: the web server says which script.
  std::chrono::milliseconds connect_timeout_;
  std::optional<std::chrono::milliseconds> timeout_;
  bool stream_;
  std::unique_ptr<Dialer> dialer_;
  LinkPool pool_;
};

}  // namespace trivet::source
