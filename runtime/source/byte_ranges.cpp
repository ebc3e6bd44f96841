#include "runtime/source/byte_ranges.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "runtime/cgi/text.hpp"

namespace trivet::source {
namespace {

constexpr std::uint64_t most_positions = std::numeric_limits<std::int64_t>::max();

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view blank = " \t";
  while (!text.empty() && blank.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
  while (!text.empty() && blank.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
  return text;
}

/// Digits alone. What is larger than any file stays so: "to the end" is often said with a large number.
std::optional<std::uint64_t> read_position(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char each : text) {
    if (each < '0' || each > '9') return std::nullopt;
    value =
        value > most_positions / 10 ? most_positions : value * 10 + static_cast<std::uint64_t>(each - '0');
    value = std::min(value, most_positions);
  }
  return value;
}

}  // namespace

ByteRanges::Spec ByteRanges::read_one(std::string_view text, std::uint64_t size, ByteRange& out) noexcept {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return Spec::wrong;
  const auto last = read_position(text.substr(dash + 1));
  if (!last && dash + 1 != text.size()) return Spec::wrong;
  if (dash == 0) {
    if (!last) return Spec::wrong;
    const std::uint64_t length = std::min(*last, size);
    out = {size - length, length};
    return length == 0 ? Spec::outside : Spec::inside;
  }
  const auto first = read_position(text.substr(0, dash));
  if (!first || (last && *last < *first)) return Spec::wrong;
  if (*first >= size) return Spec::outside;
  out = {*first, std::min(last.value_or(most_positions), size - 1) - *first + 1};
  return Spec::inside;
}

bool ByteRanges::overlaps(const ByteRange& range) const noexcept {
  const auto shown = parts();
  return std::any_of(shown.begin(), shown.end(), [&](const ByteRange& other) {
    return range.first <= other.last() && other.first <= range.last();
  });
}

ByteRanges ByteRanges::read(std::string_view header, std::uint64_t size) noexcept {
  const ByteRanges whole;
  ByteRanges read;
  constexpr std::string_view unit = "bytes=";
  header = trimmed(header);
  if (!cgi::equals_ignoring_case(header.substr(0, unit.size()), unit)) return whole;
  header.remove_prefix(unit.size());
  std::size_t asked = 0;
  for (bool more = true; more;) {
    const std::size_t comma = header.find(',');
    const std::string_view text = trimmed(header.substr(0, comma));
    more = comma != std::string_view::npos;
    if (more) header.remove_prefix(comma + 1);
    if (text.empty()) continue;  // Empty elements of a list do not count (RFC 9110, 5.6.1.2).
    if (++asked > most) return whole;
    ByteRange range;
    switch (read_one(text, size, range)) {
      case Spec::wrong:
        return whole;
      case Spec::outside:
        break;
      case Spec::inside:
        if (read.overlaps(range)) return whole;
        read.parts_[read.count_++] = range;
        break;
    }
  }
  if (asked == 0) return whole;
  read.kind_ = read.count_ == 0 ? Kind::unsatisfiable : Kind::parts;
  return read;
}

}  // namespace trivet::source
