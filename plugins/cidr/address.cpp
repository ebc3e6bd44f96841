#include "address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace cidr {
namespace {

constexpr std::string_view digits = "0123456789";

std::uint64_t big_endian(const unsigned char* bytes, std::size_t count) noexcept {
  std::uint64_t value = 0;
  for (std::size_t at = 0; at < count; ++at) value = value << 8U | bytes[at];
  return value;
}

/// All bits after the first `length` of `bits`, as a number of `bits` bits.
std::uint64_t rest_of(unsigned length, unsigned bits) noexcept {
  if (length == 0) return bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  return (std::uint64_t{1} << (bits - length)) - 1;
}

/// `address` with its bits after the prefix made ones, or zeros.
Address end_of(Address address, unsigned length, bool ones) noexcept {
  const std::uint64_t high = address.six ? rest_of(std::min(length, 64U), 64) : 0;
  const std::uint64_t low = address.six ? rest_of(std::max(length, 64U) - 64, 64) : rest_of(length, 32);
  address.high = ones ? address.high | high : address.high & ~high;
  address.low = ones ? address.low | low : address.low & ~low;
  return address;
}

std::string text_of(const Address& address) {
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  for (unsigned at = 0; at < 8; ++at) {
    bytes[at] = static_cast<unsigned char>(address.high >> (56 - 8 * at));
    bytes[8 + at] = static_cast<unsigned char>(address.low >> (56 - 8 * at));
  }
  const void* const from = address.six ? bytes.data() : bytes.data() + 12;
  return ::inet_ntop(address.six ? AF_INET6 : AF_INET, from, text.data(), text.size());
}

std::optional<unsigned> read_length(std::string_view text, unsigned most) noexcept {
  if (text.empty() || text.size() > 3 || text.find_first_not_of(digits) != std::string_view::npos)
    return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  unsigned length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  if (length > most) return std::nullopt;
  return length;
}

std::vector<Range> read_lines(std::string_view text, trivet::Remarks& remarks) {
  std::vector<Range> ranges;
  trivet::for_each_line(text, [&](std::size_t number, std::string_view line, bool is_whole) {
    line = line.substr(0, line.find_first_of("#;"));
    line = line.substr(0, line.find_last_not_of(" \t") + 1);
    if (line.empty()) return;
    const auto read = Range::read(line);
    if (const auto* wrong = std::get_if<std::string>(&read)) return remarks.wrong(number, *wrong);
    // 10.0.0.0/1 may be the beginning of 10.0.0.0/16.
    if (!is_whole) return remarks.wrong(number, "has no end: is the file written to its end?");
    ranges.push_back(std::get<Range>(read));
  });
  return ranges;
}

}  // namespace

std::optional<Address> Address::read(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  text.copy(terminated.data(), text.size());
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET, terminated.data(), bytes.data()) == 1)
    return Address{false, 0, big_endian(bytes.data(), 4)};
  if (::inet_pton(AF_INET6, terminated.data(), bytes.data()) != 1) return std::nullopt;
  const Address address{true, big_endian(bytes.data(), 8), big_endian(bytes.data() + 8, 8)};
  if (address.high == 0 && address.low >> 32U == 0xFFFF) return Address{false, 0, address.low & 0xFFFFFFFF};
  return address;
}

std::string_view why_no_address(std::string_view text) noexcept {
  if (text.empty()) return "is empty";
  if (text.find('%') != std::string_view::npos) return "has a zone";
  if (text.front() == '[') return "has brackets or a port";
  if (text.starts_with("unix:")) return "is a unix socket";
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && Address::read(text.substr(0, colon))) return "has a port";
  return "is no address";
}

std::variant<Range, std::string> Range::read(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view before = text.substr(0, slash);
  const std::optional<Address> address = Address::read(before);
  if (!address) return "is no address and no prefix such as 192.0.2.0/24 or 2001:db8::/32";
  if (slash == std::string_view::npos) return Range{*address, *address};
  const bool is_mapped = !address->six && before.find(':') != std::string_view::npos;
  const unsigned most = address->six || is_mapped ? 128 : 32;
  const std::optional<unsigned> length = read_length(text.substr(slash + 1), most);
  if (!length) return "has no length from 0 to " + std::to_string(most) + " after its /";
  if (is_mapped && *length < 96) return "covers IPv4 and more: write the IPv4 prefix and the IPv6 prefix";
  const unsigned bits = is_mapped ? *length - 96 : *length;
  const Range range{end_of(*address, bits, false), end_of(*address, bits, true)};
  if (range.first != *address) {
    return "has more bits than its length says: " + text_of(range.first) + "/" + std::to_string(bits) +
           " or the address alone is meant";
  }
  return range;
}

Ranges::Ranges(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  for (const Range& range : ranges) {
    if (!ranges_.empty() && range.first <= ranges_.back().last) {
      ranges_.back().last = std::max(ranges_.back().last, range.last);
    } else {
      ranges_.push_back(range);
    }
  }
  ranges_.shrink_to_fit();
}

bool Ranges::has(const Address& address) const noexcept {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                                      [](const Address& a, const Range& range) { return a < range.first; });
  return after != ranges_.begin() && address <= std::prev(after)->last;
}

ListFile ListFile::read_allowed(std::string_view text, trivet::Remarks& remarks) {
  ListFile file;
  file.last_good = Ranges(read_lines(text, remarks));
  return file;
}

ListFile ListFile::read_denied(std::string_view text, const ListFile* before, trivet::Remarks& remarks) {
  std::vector<Range> ranges = read_lines(text, remarks);
  ListFile file;
  if (remarks.count() == 0) {
    file.last_good = Ranges(std::move(ranges));
    return file;
  }
  if (before == nullptr) throw std::runtime_error(remarks.first());
  file.last_good = before->last_good;
  ranges.insert(ranges.end(), before->last_good.all().begin(), before->last_good.all().end());
  file.while_wrong = Ranges(std::move(ranges));
  return file;
}

}  // namespace cidr
