#include "runtime/plugin/current.hpp"

namespace trivet::plugin {

namespace {

thread_local const Current* running = nullptr;
thread_local std::string_view route_name;

}  // namespace

CurrentScope::CurrentScope(const Current& current) noexcept : before_(running) { running = &current; }

CurrentScope::~CurrentScope() { running = before_; }

RouteScope::RouteScope(std::string_view route) noexcept : before_(route_name) { route_name = route; }

RouteScope::~RouteScope() { route_name = before_; }

std::string_view current_route() noexcept { return route_name; }

const Current* current_plugin() noexcept { return running; }

}  // namespace trivet::plugin
