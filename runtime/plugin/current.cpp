#include "runtime/plugin/current.hpp"

#include <pthread.h>
#include <unistd.h>

#include <atomic>

namespace trivet::plugin {

namespace {

thread_local const Current* running = nullptr;
thread_local std::string_view route_name;
std::span<process::Running> shown;  ///< Written once, before there is another thread.
std::atomic<std::size_t> taken{1};
thread_local process::Running unseen;  ///< Where a thread writes that has no place.
thread_local process::Running* place = nullptr;
bool is_forked = false;  ///< Written once, by the only thread that a forked child has.

std::uint32_t number_of(const Current* current) noexcept {
  return current == nullptr ? 0 : current->column + 1;
}

void show(std::atomic<std::uint32_t>& where, std::uint32_t number) noexcept {
  where.store(number, std::memory_order_relaxed);
}

process::Running& take_place() noexcept {
  const std::size_t mine = shown.empty() ? 0 : taken.fetch_add(1);
  place = mine < shown.size() ? &shown[mine] : &unseen;
  show(place->plugin, number_of(running));
  return *place;
}

}  // namespace

CurrentScope::CurrentScope(const Current& current) noexcept : before_(running) {
  running = &current;
  if (place != nullptr) show(place->plugin, number_of(running));
}

CurrentScope::~CurrentScope() {
  running = before_;
  if (place != nullptr) show(place->plugin, number_of(running));
}

RouteScope::RouteScope(std::string_view route, std::uint32_t column) noexcept : before_(route_name) {
  route_name = route;
  process::Running& mine = place != nullptr ? *place : take_place();
  number_before_ = mine.route.load(std::memory_order_relaxed);
  show(mine.route, column + 1);
}

RouteScope::~RouteScope() {
  end_if_forked();
  route_name = before_;
  show(place->route, number_before_);
}

CallScope::CallScope(const Current& current, std::string_view route, std::uint32_t column) noexcept
    : plugin_before_(running), route_before_(route_name) {
  running = &current;
  route_name = route;
  process::Running& mine = place != nullptr ? *place : take_place();
  number_before_ = mine.route.load(std::memory_order_relaxed);
  show(mine.plugin, number_of(&current));
  show(mine.route, column + 1);
}

CallScope::~CallScope() {
  end_if_forked();
  running = plugin_before_;
  route_name = route_before_;
  show(place->plugin, number_of(plugin_before_));
  show(place->route, number_before_);
}

void show_running(std::span<process::Running> places) noexcept {
  shown = places;
  place = places.data();
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
