#include "runtime/base/bytes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace trivet::base {
namespace {

TEST(Bytes, ZerosAreCountedInRunsOfEveryLengthAndAtEveryPlace) {
  const auto next = [](std::size_t size) { return size < 600 ? size + 1 : size + 251; };
  for (std::size_t size = 0; size < 10000; size = next(size)) {  // More than are counted in one go.
    std::vector<std::uint8_t> some(size);
    for (std::size_t at = 0; at < size; ++at) some[at] = static_cast<std::uint8_t>(at * at % 7);
    EXPECT_EQ(count_zeros(some), static_cast<std::size_t>(std::count(some.begin(), some.end(), 0))) << size;
    const std::vector<std::uint8_t> all(size, 0);
    EXPECT_EQ(count_zeros(all), size);
    std::vector<std::uint8_t> last(size, 0x80);
    EXPECT_EQ(count_zeros(last), 0U) << size;
    if (size == 0) continue;
    last.back() = 0;
    EXPECT_EQ(count_zeros(last), 1U) << size;
  }
}

}  // namespace
}  // namespace trivet::base
