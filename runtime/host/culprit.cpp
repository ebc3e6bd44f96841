#include "runtime/host/culprit.hpp"

#include <algorithm>
#include <atomic>

namespace trivet::host {
namespace {

/// Empty where there is none of this number.
template <typename Named>
std::string name_of(const std::vector<Named>& all, std::uint32_t number) {
  return number == 0 || number > all.size() ? std::string() : all[number - 1].name;
}

struct Call {
  std::uint32_t plugin = 0;
  std::uint32_t route = 0;
  friend bool operator==(const Call&, const Call&) = default;
};

/// Each once. A thread of a plugin that has no call is none; while a plugin is loaded there is no route.
std::vector<Call> calls_in(const process::WorkerSlot& slot) {
  std::vector<Call> calls;
  for (const process::Running& each : slot.running) {
    const Call call{each.plugin.load(std::memory_order_relaxed), each.route.load(std::memory_order_relaxed)};
    const bool runs = call.plugin != 0 && (call.route != 0 || &each == slot.running.data());
    if (runs && std::find(calls.begin(), calls.end(), call) == calls.end()) calls.push_back(call);
  }
  return calls;
}

}  // namespace

Culprit culprit_of(const process::WorkerSlot& slot, const process::End& end, std::string_view last_words,
                   const config::Config& config) {
  Culprit culprit;
  if (slot.crash.is_written()) {
    culprit.plugin = slot.crash.plugin();
    culprit.route = slot.crash.route();
    return culprit;
  }
  if (end.by_signal || !last_words.empty()) return culprit;
  for (const Call& each : calls_in(slot)) {
    const std::string plugin = name_of(config.plugins, each.plugin);
    const std::string route = name_of(config.routes, each.route);
    if (plugin.empty()) continue;
    culprit.candidates.push_back(plugin + (route.empty() ? "" : " for " + route));
    culprit.plugin = plugin;
    culprit.route = route;
  }
  if (culprit.candidates.size() > 1) {
    culprit.plugin.clear();
    culprit.route.clear();
  } else {
    culprit.candidates.clear();
  }
  return culprit;
}

}  // namespace trivet::host
