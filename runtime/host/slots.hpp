#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/process/board.hpp"
#include "runtime/process/totals.hpp"

namespace trivet::host {

/// Which slots of the board are whose.
///
/// Thread    [loop] of the supervisor.
/// Lifetime  The board outlives it.
class Slots {
 public:
  explicit Slots(process::Board& board) : board_(board), used_(board.slots()) {}

  /// A slot that is all zero. Nothing: every one is in use.
  [[nodiscard]] std::optional<std::uint32_t> take();
  /// After its worker has ended: what it counted is added to what all counted that did.
  void give_back(std::uint32_t slot);
  /// Of a worker that an earlier image of this program started.
  void claim(std::uint32_t slot) { used_[slot] = true; }
  /// What workers of earlier images counted that had ended.
  void begin_with(const process::WorkerTotals& ended) noexcept { ended_ = ended; }
  [[nodiscard]] process::WorkerSlot& operator[](std::uint32_t slot) const noexcept {
    return board_.slot(slot);
  }
  [[nodiscard]] process::Board& board() const noexcept { return board_; }
  /// What workers that have ended counted.
  [[nodiscard]] const process::WorkerTotals& ended() const noexcept { return ended_; }

 private:
  process::Board& board_;
  std::vector<bool> used_;
  process::WorkerTotals ended_;
};

}  // namespace trivet::host
