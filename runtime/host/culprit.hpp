#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/config/config.hpp"
#include "runtime/process/board.hpp"
#include "runtime/process/worker_start.hpp"

namespace trivet::host {

/// Whose code ended a worker, as far as its slot on the board tells: the worker wrote that, so it is believed
/// only where it fits the configuration.
struct Culprit {
  /// Both empty: nobody knows. A plugin without a route was not serving.
  std::string plugin;
  std::string route;
  /// Where it is one of several that ran at the time, on different threads: all of them, `PLUGIN for ROUTE`.
  std::vector<std::string> candidates;
};

/// By its note of a fault or of a call that ends a process. Without one, after an exit of which the worker
/// said nothing, by what ran: that was a system call of its own, which nobody hears. A signal without a note
/// was sent from outside.
[[nodiscard]] Culprit culprit_of(const process::WorkerSlot& slot, const process::End& end,
                                 std::string_view last_words, const config::Config& config);

}  // namespace trivet::host
