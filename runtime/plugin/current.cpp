#include "runtime/plugin/current.hpp"

#include <pthread.h>
#include <unistd.h>

namespace trivet::plugin {

namespace {

thread_local const Current* running = nullptr;
thread_local std::string_view route_name;
bool is_forked = false;  ///< Written once, by the only thread that a forked child has.

}  // namespace

CurrentScope::CurrentScope(const Current& current) noexcept : before_(running) { running = &current; }

CurrentScope::~CurrentScope() { running = before_; }

RouteScope::RouteScope(std::string_view route) noexcept : before_(route_name) { route_name = route; }

RouteScope::~RouteScope() {
  end_if_forked();
  route_name = before_;
}

void notice_forks() noexcept {
  static const int once = ::pthread_atfork(nullptr, nullptr, [] { is_forked = true; });
  static_cast<void>(once);
}

void end_if_forked() noexcept {
  if (is_forked) ::_exit(1);
}

std::string_view current_route() noexcept { return route_name; }

const Current* current_plugin() noexcept { return running; }

}  // namespace trivet::plugin
