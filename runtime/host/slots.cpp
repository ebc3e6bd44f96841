#include "runtime/host/slots.hpp"

#include <algorithm>
#include <new>

#include "runtime/process/statistics.hpp"

namespace trivet::host {

std::optional<std::uint32_t> Slots::take() {
  // The lowest: what was used once costs no more memory.
  const auto free = std::find(used_.begin(), used_.end(), false);
  if (free == used_.end()) return std::nullopt;
  *free = true;
  const auto slot = static_cast<std::uint32_t>(free - used_.begin());
  new (&board_.slot(slot)) process::WorkerSlot();
  return slot;
}

void Slots::give_back(std::uint32_t slot) {
  used_[slot] = false;
  process::add_to(ended_, board_.slot(slot).counters, process::StatisticsTotals::Workers::ended);
}

}  // namespace trivet::host
