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

PairReader::Long PairReader::read_of_any_length(const char* at, const char* end) noexcept {
  std::size_t zeros = 0;
  const auto name = read_length(at, end, zeros);
  const auto value = name ? read_length(at, end, zeros) : std::nullopt;
  const auto left = static_cast<std::size_t>(end - at);
  // Never the sum of both lengths: each is compared with what is left, so nothing can wrap.
  if (!value || *name > left || *value > left - *name) return {{}, nullptr, zeros};
  const Pair pair{{at, *name}, {at + *name, *value}};
  return {pair, at + std::size_t{*name} + *value, zeros};
}

}  // namespace trivet::protocol
