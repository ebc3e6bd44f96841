#include "runtime/protocol/name_value.hpp"

namespace trivet::protocol {
namespace {

/// The length at `at`, which is moved behind it; nothing where it is cut short.
std::optional<std::uint32_t> read_length(const char*& at, const char* end, std::size_t& zeros) noexcept {
  const auto take = [&] {
    const auto byte = static_cast<unsigned char>(*at++);
    if (byte == 0) ++zeros;
    return std::uint32_t{byte};
  };
  if (at == end) return std::nullopt;
  if (static_cast<unsigned char>(*at) < 0x80) return take();
  if (end - at < 4) return std::nullopt;
  // A small number in four bytes is legal, so no value is refused here.
  std::uint32_t value = take() & 0x7fU;
  for (int more = 0; more < 3; ++more) value = value << 8U | take();
  return value;
}

}  // namespace

std::size_t PairReader::next(std::span<Pair> into) noexcept {
  constexpr std::size_t lengths = 2;
  const char* at = at_;
  const char* const end = end_;
  std::size_t zeros = zeros_;
  Pair* pair = into.data();
  for (Pair* const full = pair + into.size(); pair != full && at != end; ++pair) {
    // Nearly every pair has two lengths of one byte.
    for (auto rest = static_cast<std::size_t>(end - at); pair != full && rest >= lengths; ++pair) {
      const std::size_t name = static_cast<unsigned char>(at[0]);
      const std::size_t value = static_cast<unsigned char>(at[1]);
      const std::size_t size = lengths + name + value;
      if (((name | value) & 0x80U) != 0 || size > rest) break;
      zeros += static_cast<std::size_t>(name == 0) + static_cast<std::size_t>(value == 0);
      pair->name = {at + lengths, name};
      pair->value = {at + lengths + name, value};
      at += size;
      rest -= size;
    }
    if (pair == full || at == end) break;
    const auto name = read_length(at, end, zeros);
    const auto value = name ? read_length(at, end, zeros) : std::nullopt;
    const auto left = static_cast<std::size_t>(end - at);
    // Never the sum of both lengths: each is compared with what is left, so nothing can wrap.
    if (!value || *name > left || *value > left - *name) {
      broken_ = true;
      at = end;
      break;
    }
    pair->name = {at, *name};
    pair->value = {at + *name, *value};
    at += std::size_t{*name} + *value;
  }
  at_ = at;
  zeros_ = zeros;
  return static_cast<std::size_t>(pair - into.data());
}

}  // namespace trivet::protocol
