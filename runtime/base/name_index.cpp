#include "runtime/base/name_index.hpp"

#include <bit>

namespace trivet::base {

NameIndex::Place* NameIndex::prepare(std::uint32_t count) {
  std::uint32_t size = 16;
  while (size < 2 * std::uint64_t{count}) size *= 2;
  if (places_.size() < size) places_.resize(size);
  std::memset(places_.data(), 0, size * sizeof(Place));
  mask_ = size - 1;
  shift_ = static_cast<std::uint32_t>(std::countl_zero(mask_));
  return places_.data();
}

}  // namespace trivet::base
