#include "runtime/base/name_index.hpp"

#include <bit>

namespace trivet::base {

void NameIndex::make_room(std::uint32_t count) {
  const bool fits = !places_.empty() && 2 * std::uint64_t{count} <= std::uint64_t{mask_} + 1;
  if (fits && !is_forgotten_) return;
  std::uint32_t size = 16;
  while (size < 2 * std::uint64_t{count}) size *= 2;
  if (places_.size() < size) places_.resize(size);
  std::memset(places_.data(), 0, size * sizeof(Place));
  mask_ = size - 1;
  shift_ = static_cast<std::uint32_t>(std::countl_zero(mask_));
  names_.truncate(0);
  is_forgotten_ = false;
}

void NameIndex::keep(std::string_view name, std::uint32_t place) {
  if (is_forgotten_) return;
  const std::uint32_t number = names_.size();
  if (!names_.add(name)) {
    forget();
    return;
  }
  if (number == place_of_.size()) place_of_.resize(std::max<std::size_t>(32, 2 * place_of_.size()));
  place_of_[number] = place;
}

}  // namespace trivet::base
