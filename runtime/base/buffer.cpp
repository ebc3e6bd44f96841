#include "runtime/base/buffer.hpp"

#include <algorithm>

namespace trivet::base {

void Buffer::make_room(std::size_t n) {
  const std::size_t kept = size();
  // Sliding is worth it only when at least half of the block is free in front: else bytes move often.
  if (capacity_ - kept >= n && begin_ >= capacity_ / 2) {
    std::memmove(block_.get(), block_.get() + begin_, kept);
  } else {
    const auto wanted = std::max({std::size_t{256}, capacity_ * 2, kept + n});
    std::unique_ptr<std::uint8_t[]> grown(new std::uint8_t[wanted]);
    if (kept != 0) std::memcpy(grown.get(), block_.get() + begin_, kept);
    block_ = std::move(grown);
    capacity_ = wanted;
  }
  begin_ = 0;
  end_ = kept;
}

}  // namespace trivet::base
