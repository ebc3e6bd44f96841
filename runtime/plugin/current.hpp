#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/process/board.hpp"

namespace trivet::log {
class Log;
}

namespace trivet::plugin {

/// Whose code runs on this thread: lines that a plugin logs without a request are found their plugin by it.
struct Current {
  std::string name;
  log::Log* log = nullptr;
  std::uint32_t column = 0;  ///< Its place among the plugins of the configuration.
};

/// Marks the calling thread as running a plugin's code, as long as it lives; nests. Plugin threads carry the
/// mark throughout.
///
/// Thread    [any]
/// Lifetime  `current` outlives it.
class CurrentScope {
 public:
  explicit CurrentScope(const Current& current) noexcept;
  ~CurrentScope();
  CurrentScope(const CurrentScope&) = delete;
  CurrentScope& operator=(const CurrentScope&) = delete;

 private:
  const Current* before_;
};

/// For which route that code is asked, as long as this lives; nests. `column` is its place among the routes
/// of the configuration.
///
/// Thread    [any]
/// Lifetime  `route` outlives it.
class RouteScope {
 public:
  RouteScope(std::string_view route, std::uint32_t column) noexcept;
  ~RouteScope();
  RouteScope(const RouteScope&) = delete;
  RouteScope& operator=(const RouteScope&) = delete;

 private:
  std::string_view before_;
  std::uint32_t number_before_;
};

/// Both at once, around each call of a hook on the loop.
///
/// Thread    [any]
/// Lifetime  `current` and `route` outlive it.
class CallScope {
 public:
  CallScope(const Current& current, std::string_view route, std::uint32_t column) noexcept;
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

 private:
  const Current* plugin_before_;
  std::string_view route_before_;
  std::uint32_t number_before_;
};

/// From now on the scopes also say there what they say to this process: for whoever looks when it has
/// ended. The calling thread has the first place, others one from their first call on, as long as there are
/// any.
///
/// Thread    [startup], once.
/// Lifetime  `places` outlive the process.
void show_running(std::span<process::Running> places) noexcept;

/// From now on a child that plugin code makes by fork() is known, as long as it stays this program. It shares
/// sockets and event sets with its parent: one that came back from a hook would answer everything once more.
///
/// Thread    [startup]; again is fine
void notice_forks() noexcept;
/// Ends such a child, without any of the host's exit handlers. Called wherever a plugin's code comes back.
///
/// Thread    [any]
void end_if_forked() noexcept;

/// Null where no plugin's code runs.
[[nodiscard]] const Current* current_plugin() noexcept;
/// Empty where no request is served.
[[nodiscard]] std::string_view current_route() noexcept;

}  // namespace trivet::plugin
