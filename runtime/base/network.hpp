#pragma once

#include <array>
#include <cstdint>

namespace trivet::base {

/// An IPv4 or IPv6 address in network order; IPv4 uses the first four bytes. An IPv4 address mapped into IPv6
/// is stored as the IPv4 address that it is, so that one rule holds for both ways to write it.
struct IpAddress {
  bool six = false;
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] static IpAddress v4(const std::uint8_t* from) noexcept;
  [[nodiscard]] static IpAddress v6(const std::uint8_t* from) noexcept;
  [[nodiscard]] bool is_loopback() const noexcept;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

/// All addresses that begin with the first `prefix` bits of `address`.
struct Network {
  IpAddress address;
  unsigned prefix = 0;  ///< At most 32, or 128 for IPv6.

  [[nodiscard]] bool contains(const IpAddress& other) const noexcept;
  /// Whether no bit after the prefix is set.
  [[nodiscard]] bool is_canonical() const noexcept;
  friend bool operator==(const Network&, const Network&) = default;
};

}  // namespace trivet::base
