#include "runtime/base/name_index.hpp"

#include <bit>

namespace trivet::base {
namespace {

constexpr std::size_t most_names = 96;
constexpr std::size_t most_text = 2048;

}  // namespace

void NameIndex::make_room(std::uint32_t count) {
  const bool fits = !places_.empty() && 2 * std::uint64_t{count} <= std::uint64_t{mask_} + 1;
  if (fits && !is_forgotten_) return;
  std::uint32_t size = 16;
  while (size < 2 * std::uint64_t{count}) size *= 2;
  if (places_.size() < size) places_.resize(size);
  std::memset(places_.data(), 0, size * sizeof(Place));
  mask_ = size - 1;
  shift_ = static_cast<std::uint32_t>(std::countl_zero(mask_));
  kept_ = text_used_ = 0;
  is_forgotten_ = false;
}

void NameIndex::keep(std::string_view name, const Ends& ends, std::uint32_t place) {
  if (is_forgotten_) return;
  const std::size_t text = name.size() > ends_size ? name.size() : 0;
  if (kept_ == most_names || text > most_text - text_used_) {
    is_forgotten_ = true;
    return;
  }
  if (kept_ == names_.size()) names_.resize(std::max<std::size_t>(32, 2 * names_.size()));
  if (text_.size() < text_used_ + text) text_.resize(std::max<std::size_t>(256, 2 * (text_used_ + text)));
  if (text != 0) std::memcpy(text_.data() + text_used_, name.data(), text);
  names_[kept_++] = {ends, static_cast<std::uint32_t>(name.size()), place, text_used_};
  text_used_ += static_cast<std::uint32_t>(text);
}

}  // namespace trivet::base
