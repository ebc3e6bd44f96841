#include "runtime/protocol/name_value.hpp"

#include <algorithm>

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

constexpr std::size_t lengths = 2;  ///< Of one byte each, as nearly every pair has them.

}  // namespace

std::size_t PairReader::next(std::span<Pair> into) noexcept {
  Pair* pair = into.data();
  const Pair* const full = pair + into.size();
  while (as_expected_ != expected_size_ && pair != full) {
    pair = read_expected(pair, full);
    if (as_expected_ == expected_size_ || pair == full) break;
    // Its name may be the one that is expected, and its form another.
    const Pair* const read = pair;
    pair = read_any(pair, pair + 1);
    if (pair == read) break;
    if (expected_->is(as_expected_, read->name)) {
      ++as_expected_;
    } else {
      expected_size_ = as_expected_;
    }
  }
  if (at_ != end_) pair = read_any(pair, full);
  return static_cast<std::size_t>(pair - into.data());
}

/// While both lengths have one byte and the name is the one that is expected.
Pair* PairReader::read_expected(Pair* pair, const Pair* full) noexcept {
  if (end_ - at_ < std::ptrdiff_t{lengths}) return pair;
  const base::KeptNames::Name* expected = expected_->data() + as_expected_;
  const std::size_t most =
      std::min(std::size_t{expected_size_ - as_expected_}, static_cast<std::size_t>(full - pair));
  const char* const end = end_;
  const char* text = at_ + lengths;  // Of a name whose lengths are inside of the block.
  std::size_t zeros = zeros_;
  const Pair* const first = pair;
  const Pair* const last = pair + most;
  do {
    const std::size_t name = static_cast<unsigned char>(text[-2]);
    const std::size_t value = static_cast<unsigned char>(text[-1]);
    const char* const behind = text + name;
    if (behind + value > end || !expected->is({text, name})) [[unlikely]]
      break;
    if (static_cast<signed char>(value) <= 0) [[unlikely]] {
      if (value != 0) break;  // The first of four bytes.
      ++zeros;
    }
    *pair = {{text, name}, {behind, value}};
    text = behind + value + lengths;
    ++expected;
  } while (++pair != last && text <= end);
  at_ = text - lengths;
  zeros_ = zeros;
  as_expected_ += static_cast<std::uint32_t>(pair - first);
  return pair;
}

Pair* PairReader::read_any(Pair* pair, const Pair* full) noexcept {
  const char* at = at_;
  const char* const end = end_;
  std::size_t zeros = zeros_;
  for (; pair != full && at != end; ++pair) {
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
  return pair;
}

}  // namespace trivet::protocol
