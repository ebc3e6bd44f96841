#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.hpp"

namespace trivet::host {

/// Plugins whose code ends workers while it serves requests. One that ended several soon after each other is
/// suspended: it is not called, so that the workers go on with everything else. After a second it is, and
/// where it ends another worker then, it is suspended for twice as long, up to ten seconds.
///
/// Memory  One entry for each plugin of the configuration.
class Suspects {
 public:
  /// A worker ended in code of this plugin. True: it is suspended from now on.
  bool ended(const std::string& plugin, base::TimePoint now);
  /// True where some that were are not any more.
  bool release(base::TimePoint now);

  [[nodiscard]] bool any() const noexcept;
  /// When release() is due. Nothing where none is suspended.
  [[nodiscard]] std::optional<base::TimePoint> next_release() const noexcept;
  /// Of those that are suspended, one a line.
  [[nodiscard]] std::string names() const;
  /// For how long; zero where it is not.
  [[nodiscard]] base::Duration time_of(const std::string& plugin) const;

 private:
  struct Suspect {
    std::vector<base::TimePoint> ends;  ///< The newest, oldest first.
    base::Duration time{};              ///< Of the last suspension.
    base::TimePoint until{};            ///< Its end.
    bool is_suspended = false;
  };
  std::map<std::string, Suspect> suspects_;
};

}  // namespace trivet::host
