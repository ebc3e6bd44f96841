#include "runtime/base/network.hpp"

#include <algorithm>

namespace trivet::base {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

}  // namespace

IpAddress IpAddress::v4(const std::uint8_t* from) noexcept {
  IpAddress address;
  std::copy_n(from, 4, address.bytes.begin());
  return address;
}

IpAddress IpAddress::v6(const std::uint8_t* from) noexcept {
  if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), from)) return v4(from + mapped_prefix.size());
  IpAddress address;
  address.six = true;
  std::copy_n(from, 16, address.bytes.begin());
  return address;
}

bool IpAddress::is_loopback() const noexcept {
  if (!six) return bytes[0] == 127;
  IpAddress one;
  one.six = true;
  one.bytes[15] = 1;
  return *this == one;
}

bool Network::contains(const IpAddress& other) const noexcept {
  if (other.six != address.six) return false;
  const unsigned whole = prefix / 8;
  const unsigned rest = prefix % 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, other.bytes.begin())) return false;
  return rest == 0 || ((address.bytes[whole] ^ other.bytes[whole]) >> (8U - rest)) == 0;
}

bool Network::is_canonical() const noexcept {
  const unsigned bits = address.six ? 128 : 32;
  for (unsigned bit = prefix; bit < bits; ++bit) {
    if ((address.bytes[bit / 8] >> (7U - bit % 8) & 1U) != 0) return false;
  }
  return true;
}

}  // namespace trivet::base
