#include "runtime/base/kept_names.hpp"

#include <algorithm>

namespace trivet::base {
namespace {

constexpr std::size_t most_names = 96;
constexpr std::size_t most_text = 2048;

}  // namespace

bool KeptNames::is(std::uint32_t number, std::string_view name) const noexcept {
  const Name& kept = names_[number];
  if (kept.has_words()) return kept.is(name);
  return name == std::string_view(texts_.data() + kept.text_, kept.size_);
}

bool KeptNames::add(std::string_view name) {
  using Long = Name::Long;
  using Short = Name::Short;
  Name kept{};
  const std::size_t size = name.size();
  kept.size_ = static_cast<std::uint32_t>(size);
  kept.text_ = texts_used_;
  kept.usual_size_ = SIZE_MAX;
  const std::size_t text = kept.has_words() ? 0 : size;
  if (size_ == most_names || text > most_text - texts_used_) return false;
  const char* const at = name.data();
  const char* const end = at + size;
  if (text != 0) {
    if (texts_.size() < texts_used_ + text)
      texts_.resize(std::max<std::size_t>(256, 2 * (texts_used_ + text)));
    std::memcpy(texts_.data() + texts_used_, at, text);
    texts_used_ += static_cast<std::uint32_t>(text);
  } else if (size >= sizeof(Long)) {
    kept.first_ = Name::word<Long>(at);
    kept.last_ = Name::word<Long>(end - sizeof(Long));
    if (size <= 2 * sizeof(Long)) {
      kept.usual_size_ = size;
    } else {
      kept.second_ = Name::word<Long>(at + sizeof(Long));
      kept.last_but_one_ = Name::word<Long>(end - 2 * sizeof(Long));
    }
  } else if (size != 0) {
    kept.first_ = Name::word<Short>(at);
    kept.last_ = Name::word<Short>(end - sizeof(Short));
  }
  if (size_ == names_.size()) names_.resize(std::max<std::size_t>(32, 2 * names_.size()));
  names_[size_++] = kept;
  return true;
}

}  // namespace trivet::base
