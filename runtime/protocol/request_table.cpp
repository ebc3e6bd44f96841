#include "runtime/protocol/request_table.hpp"

#include <cassert>
#include <utility>

namespace trivet::protocol {

namespace {

/// The finishing steps of splitmix64: every bit of the input reaches every bit of the result.
std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ x >> 30U) * 0xbf58476d1ce4e5b9U;
  x = (x ^ x >> 27U) * 0x94d049bb133111ebU;
  return x ^ x >> 31U;
}

}  // namespace

// The address differs from process to process and from connection to connection, and a peer cannot see it.
// It decides where a request is kept, nothing that can be observed but time.
RequestTable::RequestTable() noexcept
    : seed_(mix(reinterpret_cast<std::uintptr_t>(this))) {}  // NOLINT: only a seed

void RequestTable::make_room() {
  const std::size_t old_count = mask_ + 1;
  if (size_ + 1 <= old_count / 2) return;
  const std::size_t count = old_count * 4;
  auto grown = std::make_unique<OpenRequest[]>(count);
  const auto old_heap = std::exchange(heap_, std::move(grown));
  OpenRequest* const old_slots = std::exchange(slots_, heap_.get());
  mask_ = count - 1;
  for (std::size_t at = 0; at < old_count; ++at) {
    if (old_slots[at].input != nullptr) slots_[locate(old_slots[at].id)] = old_slots[at];
    old_slots[at].input = nullptr;
  }
}

void RequestTable::insert(const OpenRequest& request) noexcept {
  last_ = locate(request.id);
  assert(request.input != nullptr && slots_[last_].input == nullptr);
  slots_[last_] = request;
  ++size_;
}

bool RequestTable::erase(std::uint16_t id) noexcept {
  OpenRequest* const table = slots_;
  std::size_t hole = locate(id);
  if (table[hole].input == nullptr) return false;
  // Whatever probed past the hole moves into it, so that probing never has to step over removed entries.
  for (std::size_t at = (hole + 1) & mask_; table[at].input != nullptr; at = (at + 1) & mask_) {
    const std::size_t probed = (at - home(table[at].id)) & mask_;
    if (probed < ((at - hole) & mask_)) continue;
    table[hole] = table[at];
    hole = at;
  }
  table[hole].input = nullptr;
  if (--size_ == 0) clear();
  return true;
}

void RequestTable::clear() noexcept {
  for (OpenRequest& each : inline_) each.input = nullptr;
  heap_.reset();
  slots_ = inline_.data();
  mask_ = inline_slots - 1;
  size_ = last_ = 0;
}

}  // namespace trivet::protocol
