#include "runtime/plugin/current.hpp"

namespace trivet::plugin {

namespace {

thread_local const Current* running = nullptr;

}  // namespace

CurrentScope::CurrentScope(const Current& current) noexcept : before_(running) { running = &current; }

CurrentScope::~CurrentScope() { running = before_; }

const Current* current_plugin() noexcept { return running; }

}  // namespace trivet::plugin
