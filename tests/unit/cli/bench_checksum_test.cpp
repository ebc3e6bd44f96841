#include <gtest/gtest.h>

#include <numeric>
#include <string_view>
#include <vector>

#include "runtime/cli/bench/checksum.hpp"

namespace trivet::cli::bench {
namespace {

std::uint32_t portable(base::Bytes bytes) { return ~portable_crc32c(0xffffffff, bytes); }

TEST(BenchChecksum, IsCrc32C) {
  // The check value of the catalogue, and those of RFC 3720, B.4.
  Checksum checksum;
  checksum.add(base::as_bytes("123456789"));
  EXPECT_EQ(checksum.value(), 0xe3069283U);
  EXPECT_EQ(portable(base::as_bytes("123456789")), 0xe3069283U);
  const std::vector<std::uint8_t> zeros(32);
  EXPECT_EQ(portable(zeros), 0x8a9136aaU);
  std::vector<std::uint8_t> rising(32);
  std::iota(rising.begin(), rising.end(), std::uint8_t{0});
  EXPECT_EQ(portable(rising), 0x46dd794eU);
}

TEST(BenchChecksum, DoesNotDependOnHowTheBytesAreCutNorOnTheProcessor) {
  std::vector<std::uint8_t> bytes(67);
  for (std::size_t at = 0; at < bytes.size(); ++at) bytes[at] = static_cast<std::uint8_t>(at * 151 + 7);
  const base::Bytes all(bytes);
  const std::uint32_t expected = portable(all);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Checksum checksum;
    checksum.add(all.first(cut));
    checksum.add(all.subspan(cut));
    EXPECT_EQ(checksum.value(), expected) << cut;
    EXPECT_EQ(~portable_crc32c(portable_crc32c(0xffffffff, all.first(cut)), all.subspan(cut)), expected)
        << cut;
  }
}

}  // namespace
}  // namespace trivet::cli::bench
