#include "runtime/protocol/name_value.hpp"

namespace trivet::protocol {

std::optional<std::uint32_t> PairReader::length() noexcept {
  if (rest_.empty()) return std::nullopt;
  const std::uint32_t first = rest_[0];
  if (first < 0x80) {
    rest_ = rest_.subspan(1);
    return first;
  }
  if (rest_.size() < 4) return std::nullopt;
  // A small number in four bytes is legal, so no value is refused here.
  const std::uint32_t value = (first & 0x7fU) << 24U | std::uint32_t{rest_[1]} << 16U |
                              std::uint32_t{rest_[2]} << 8U | std::uint32_t{rest_[3]};
  rest_ = rest_.subspan(4);
  return value;
}

std::optional<Pair> PairReader::next() noexcept {
  if (rest_.empty() || broken_) return std::nullopt;
  // Nearly every pair has two short lengths.
  constexpr std::size_t short_lengths = 2;
  if (rest_.size() >= short_lengths && (rest_[0] | rest_[1]) < 0x80) {
    const std::size_t name_size = rest_[0];
    const std::size_t value_size = rest_[1];
    if (name_size + value_size <= rest_.size() - short_lengths) {
      const char* const text = base::as_text(rest_).data() + short_lengths;
      rest_ = rest_.subspan(short_lengths + name_size + value_size);
      return Pair{{text, name_size}, {text + name_size, value_size}};
    }
  }
  const auto name = length();
  const auto value = name ? length() : std::nullopt;
  // Never the sum of both lengths: each is compared with what is left, so nothing can wrap.
  if (!value || *name > rest_.size() || *value > rest_.size() - *name) {
    broken_ = true;
    return std::nullopt;
  }
  const std::string_view text = base::as_text(rest_);
  rest_ = rest_.subspan(std::size_t{*name} + *value);
  return Pair{text.substr(0, *name), text.substr(*name, *value)};
}

}  // namespace trivet::protocol
