#include "runtime/base/network.hpp"

#include <gtest/gtest.h>

namespace trivet::base {
namespace {

IpAddress four(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  const std::array<std::uint8_t, 4> bytes = {a, b, c, d};
  return IpAddress::v4(bytes.data());
}

IpAddress six(std::initializer_list<std::uint8_t> first, std::uint8_t last) {
  std::array<std::uint8_t, 16> bytes{};
  std::copy(first.begin(), first.end(), bytes.begin());
  bytes[15] = last;
  return IpAddress::v6(bytes.data());
}

struct ContainsCase {
  Network network;
  IpAddress address;
  bool contained;
};

TEST(Network, ContainsWhatBeginsWithItsBits) {
  const ContainsCase cases[] = {
      {{four(10, 0, 0, 0), 8}, four(10, 255, 255, 255), true},
      {{four(10, 0, 0, 0), 8}, four(11, 0, 0, 0), false},
      {{four(192, 0, 2, 128), 25}, four(192, 0, 2, 128), true},
      {{four(192, 0, 2, 128), 25}, four(192, 0, 2, 127), false},
      {{four(192, 0, 2, 7), 32}, four(192, 0, 2, 7), true},
      {{four(192, 0, 2, 7), 32}, four(192, 0, 2, 6), false},
      {{four(0, 0, 0, 0), 0}, four(255, 255, 255, 255), true},
      {{four(0, 0, 0, 0), 0}, six({0x20, 0x01}, 1), false},
      {{six({}, 0), 0}, six({0x20, 0x01}, 1), true},
      {{six({}, 0), 0}, four(127, 0, 0, 1), false},
      {{six({0x20, 0x01, 0x0d, 0xb8}, 0), 32}, six({0x20, 0x01, 0x0d, 0xb8, 0xff}, 9), true},
      {{six({0x20, 0x01, 0x0d, 0xb8}, 0), 32}, six({0x20, 0x01, 0x0d, 0xb9}, 9), false},
      {{six({0x20, 0x01, 0x0d, 0xb8}, 1), 128}, six({0x20, 0x01, 0x0d, 0xb8}, 2), false},
  };
  for (const ContainsCase& each : cases) {
    EXPECT_EQ(each.network.contains(each.address), each.contained) << (&each - cases);
  }
}

TEST(Network, IsCanonicalWithoutBitsAfterThePrefix) {
  EXPECT_TRUE((Network{four(10, 0, 0, 0), 8}.is_canonical()));
  EXPECT_FALSE((Network{four(10, 0, 0, 1), 8}.is_canonical()));
  EXPECT_FALSE((Network{four(192, 0, 2, 192), 25}.is_canonical()));
  EXPECT_TRUE((Network{six({0x20, 0x01}, 1), 128}.is_canonical()));
  EXPECT_FALSE((Network{six({0x20, 0x01}, 1), 127}.is_canonical()));
}

TEST(IpAddress, AMappedOneIsTheIpv4AddressThatItIs) {
  const std::array<std::uint8_t, 16> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127, 0, 0, 1};
  EXPECT_EQ(IpAddress::v6(mapped.data()), four(127, 0, 0, 1));
}

TEST(IpAddress, LoopbackIsOnlyReachedFromThisMachine) {
  EXPECT_TRUE(four(127, 0, 0, 1).is_loopback());
  EXPECT_TRUE(four(127, 255, 0, 9).is_loopback());
  EXPECT_FALSE(four(128, 0, 0, 1).is_loopback());
  EXPECT_FALSE(four(0, 0, 0, 0).is_loopback());
  EXPECT_TRUE(six({}, 1).is_loopback());
  EXPECT_FALSE(six({}, 0).is_loopback());
  EXPECT_FALSE(six({0xFE, 0x80}, 1).is_loopback());
}

}  // namespace
}  // namespace trivet::base
