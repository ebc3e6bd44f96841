#include "runtime/config/units.hpp"

#include <gtest/gtest.h>

namespace trivet::config {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t beyond = 0x7FFFFFFFFFFFFFFF;

struct SizeCase {
  std::string_view text;
  std::optional<std::uint64_t> bytes;
};

constexpr SizeCase size_cases[] = {
    {"0B", 0},
    {"1B", 1},
    {"007B", 7},
    {"64KiB", 65536},
    {"3MiB", 3U << 20U},
    {"1GiB", 1U << 30U},
    {"8589934591GiB", 8589934591ULL << 30U},
    {"8589934592GiB", beyond},  // 2^63: what does not fit is as large as can be, never small.
    {"99999999999GiB", beyond},
    {"17179869184GiB", beyond},  // 2^64
    {"9223372036854775807B", beyond},
    {"9223372036854775808B", beyond},
    {"18446744073709551616B", beyond},
    {"99999999999999999999999999B", beyond},
    {"", std::nullopt},
    {"64", std::nullopt},
    {"KiB", std::nullopt},
    {"64KB", std::nullopt},
    {"64kib", std::nullopt},
    {"64 KiB", std::nullopt},
    {" 64KiB", std::nullopt},
    {"64KiB ", std::nullopt},
    {"-1B", std::nullopt},
    {"+1B", std::nullopt},
    {"1.5MiB", std::nullopt},
    {"1TiB", std::nullopt},
    {"0x10B", std::nullopt},
    {"unlimited", std::nullopt},
};

TEST(Sizes, AreDigitsAndAUnitAndNeverOverflow) {
  for (const SizeCase& each : size_cases) EXPECT_EQ(parse_size(each.text), each.bytes) << each.text;
}

TEST(Sizes, AreWrittenInTheLargestUnitWithoutAFraction) {
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(format_size(1), "1B");
  EXPECT_EQ(format_size(1023), "1023B");
  EXPECT_EQ(format_size(1024), "1KiB");
  EXPECT_EQ(format_size(1536), "1536B");
  EXPECT_EQ(format_size(65536), "64KiB");
  EXPECT_EQ(format_size(3ULL << 30U), "3GiB");
}

TEST(Sizes, FamiliarSpellingsAreGuessed) {
  for (const std::string_view text : {"64k", "64K", "64KB", "64kb", "64 KB", "64kib"}) {
    EXPECT_EQ(guess_size(text), "64KiB") << text;
  }
  EXPECT_EQ(guess_size("1M"), "1MiB");
  EXPECT_EQ(guess_size("1gb"), "1GiB");
  EXPECT_EQ(guess_size("12 bytes"), "12B");
  for (const std::string_view text : {"", "KiB", "64", "64 boxes", "-1k", "1.5M"}) {
    EXPECT_EQ(guess_size(text), std::nullopt) << text;
  }
}

struct DurationCase {
  std::string_view text;
  std::optional<milliseconds> time;
};

constexpr DurationCase duration_cases[] = {
    {"0s", milliseconds(0)},
    {"250ms", milliseconds(250)},
    {"5s", milliseconds(5000)},
    {"2m", milliseconds(120'000)},
    {"1h", milliseconds(3'600'000)},
    {"2562047788015h", milliseconds(2562047788015LL * 3'600'000)},
    {"2562047788016h", milliseconds::max()},
    {"9223372036854775808ms", milliseconds::max()},
    {"18446744073709552s", milliseconds::max()},
    {"", std::nullopt},
    {"5", std::nullopt},
    {"s", std::nullopt},
    {"5S", std::nullopt},
    {"5 s", std::nullopt},
    {"1m30s", std::nullopt},
    {"-5s", std::nullopt},
    {"1.5s", std::nullopt},
    {"5us", std::nullopt},
    {"1d", std::nullopt},
    {"off", std::nullopt},
};

TEST(Durations, AreDigitsAndAUnitAndNeverOverflow) {
  for (const DurationCase& each : duration_cases)
    EXPECT_EQ(parse_duration(each.text), each.time) << each.text;
}

TEST(Durations, AreWrittenInTheLargestUnitWithoutAFraction) {
  EXPECT_EQ(format_duration(milliseconds(0)), "0s");
  EXPECT_EQ(format_duration(milliseconds(1)), "1ms");
  EXPECT_EQ(format_duration(milliseconds(1500)), "1500ms");
  EXPECT_EQ(format_duration(milliseconds(90'000)), "90s");
  EXPECT_EQ(format_duration(milliseconds(120'000)), "2m");
  EXPECT_EQ(format_duration(milliseconds(86'400'000)), "24h");
}

TEST(Durations, FamiliarSpellingsAreGuessed) {
  for (const std::string_view text : {"5 s", "5S", "5sec", "5 seconds", "5secs"}) {
    EXPECT_EQ(guess_duration(text), "5s") << text;
  }
  EXPECT_EQ(guess_duration("2min"), "2m");
  EXPECT_EQ(guess_duration("1 hour"), "1h");
  for (const std::string_view text : {"", "5", "1m30s", "soon"})
    EXPECT_EQ(guess_duration(text), std::nullopt) << text;
}

TEST(Modes, AreThreeOctalDigits) {
  EXPECT_EQ(parse_mode("0660"), 0660U);
  EXPECT_EQ(parse_mode("660"), 0660U);
  EXPECT_EQ(parse_mode("0000"), 0U);
  EXPECT_EQ(parse_mode("0777"), 0777U);
  for (const std::string_view text :
       {"", "0", "66", "0668", "1777", "4755", "00660", "-660", "0o660", "rw-", "066 "}) {
    EXPECT_EQ(parse_mode(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace trivet::config
