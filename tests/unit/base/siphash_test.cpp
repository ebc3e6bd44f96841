#include "runtime/base/siphash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace trivet::base {
namespace {

constexpr std::array<std::uint64_t, 2> key = {0x0706050403020100U, 0x0f0e0d0c0b0a0908U};

struct Vector {
  std::size_t length;
  std::uint64_t hash;
};
class SipHash : public testing::TestWithParam<Vector> {};

TEST_P(SipHash, GivesWhatItsAuthorsPublished) {
  std::string text;
  for (std::size_t i = 0; i < GetParam().length; ++i) text += static_cast<char>(i);
  EXPECT_EQ(siphash(key, text), GetParam().hash);
}

INSTANTIATE_TEST_SUITE_P(Lengths, SipHash,
                         testing::Values(Vector{0, 0x726fdb47dd0e0e31U}, Vector{1, 0x74f839c593dc67fdU},
                                         Vector{8, 0x93f5f5799a932462U}, Vector{15, 0xa129ca6149be45e5U}));

TEST(SipHashKey, ChangesEverything) { EXPECT_NE(siphash({1, 2}, "text"), siphash({1, 3}, "text")); }

}  // namespace
}  // namespace trivet::base
