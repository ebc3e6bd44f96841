#include "runtime/host/share.hpp"

#include <algorithm>
#include <limits>

namespace trivet::host {
namespace {

/// Slots are used from the lowest on. Looking at one that never was would make it cost memory.
constexpr std::uint32_t unused_in_a_row = 16;

}  // namespace

bool has_more_than_its_share(const process::Board& board, std::uint32_t own) noexcept {
  const std::uint32_t generation = board.slot(own).serving.load(std::memory_order_relaxed);
  if (generation == 0) return false;
  constexpr std::uint64_t nobody = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t least = nobody;
  std::uint32_t unused = 0;
  for (std::uint32_t i = 0; i < board.slots() && (i <= own || unused < unused_in_a_row); ++i) {
    const process::WorkerSlot& slot = board.slot(i);
    const bool was_used = slot.serving.load(std::memory_order_relaxed) != 0 ||
                          process::read(slot.counters.connections_accepted) != 0;
    unused = was_used ? 0 : unused + 1;
    if (i == own || slot.serving.load(std::memory_order_relaxed) != generation) continue;
    least = std::min(least, process::read(slot.counters.connections_open));
  }
  if (least == nobody) return false;
  const std::uint64_t mine = process::read(board.slot(own).counters.connections_open);
  // A little more is not worth the way, and evens out by itself with few connections.
  return least + 1 + mine / 8 < mine;
}

}  // namespace trivet::host
