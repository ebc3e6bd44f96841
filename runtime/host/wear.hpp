#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/config/config.hpp"
#include "runtime/process/board.hpp"

namespace trivet::host {

/// Why a worker that serves should be replaced: `max_requests`, `max_memory`, plugin threads that did not
/// come back. Empty: it is fine. `number` staggers: of workers that started together the later ones may serve
/// up to a quarter more requests, so that they are not all worn out at once. `memory` is what is resident,
/// where known.
///
/// Thread  [any]
[[nodiscard]] std::string wear_of(const config::Server& server, std::uint32_t number,
                                  const process::WorkerSlot& slot, std::optional<std::uint64_t> memory);

}  // namespace trivet::host
