#include <algorithm>

#include "runtime/config/sections.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {

bool has_exclusive(const Config& config) noexcept {
  return std::any_of(config.plugins.begin(), config.plugins.end(),
                     [](const Plugin& each) { return each.exclusive; });
}

void settle_processes(Sink& sink, const Table* server, const Overrides& overrides, Draft& draft) {
  const auto exclusive = std::find_if(draft.plugins.begin(), draft.plugins.end(),
                                      [](const PluginDraft& each) { return each.plugin.exclusive; });
  std::uint32_t& processes = draft.config.server.processes;
  if (exclusive == draft.plugins.end() || processes <= 1) return;
  const std::string what = std::to_string(processes) + " processes cannot all have the plugin " +
                           in_quotes(exclusive->plugin.name) +
                           ": it is exclusive, what it uses one process has at a time";
  if (overrides.processes) {
    sink.option_error("--processes", what, "give 1, or leave it out");
    return;
  }
  if (server != nullptr) {
    for (const Entry& each : *server) {
      if (each.key != "processes") continue;
      sink.error(each.value.span, what, "set it to 1, or leave it out");
      return;
    }
  }
  processes = 1;  // Nobody asked for more: the default is as many as there are processors.
}

}  // namespace trivet::config
