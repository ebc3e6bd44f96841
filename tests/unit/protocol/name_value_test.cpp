#include "runtime/protocol/name_value.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "runtime/protocol/encoder.hpp"
#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol {
namespace {

using namespace std::string_literals;
using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Read {
  Pairs pairs;
  bool broken = false;

  friend bool operator==(const Read&, const Read&) = default;
};

/// From a block of exactly the given size, so that an address sanitizer sees a read past its end.
Read read(std::string_view text) {
  const std::vector<std::uint8_t> block(text.begin(), text.end());
  Read result;
  PairReader reader{base::Bytes(block)};
  while (const auto pair = reader.next()) result.pairs.emplace_back(pair->name, pair->value);
  EXPECT_EQ(reader.next(), std::nullopt);
  result.broken = reader.broken();
  if (!result.broken) {
    std::size_t nuls = 0;
    for (const auto& [name, value] : result.pairs)
      nuls += base::count_zeros(base::as_bytes(name)) + base::count_zeros(base::as_bytes(value));
    EXPECT_EQ(reader.zeros_in_lengths() + nuls, base::count_zeros(base::Bytes(block)));
  }
  return result;
}

const std::string n127(127, 'n'), n128(128, 'N'), v127(127, 'v'), v128(128, 'V'), v70000(70000, 'w');

struct GoodCase {
  std::string_view name;
  std::string bytes;
  Pairs expected;

  friend void PrintTo(const GoodCase& each, std::ostream* to) { *to << each.name; }
};

const GoodCase good_cases[] = {
    {"NothingIsNoPair", "", {}},
    {"C23_OneByteNameOneByteValue", "\1\1ab", {{"a", "b"}}},
    {"C23_LargestOneByteLengths", "\x7f\x7f" + n127 + v127, {{n127, v127}}},
    {"C23_OneByteNameFourByteValue", "\1\x80\0\0\x80"s + "a" + v128, {{"a", v128}}},
    {"C23_FourByteNameOneByteValue", "\x80\0\0\x80\1"s + n128 + "b", {{n128, "b"}}},
    {"C23_FourByteNameFourByteValue", "\x80\0\0\x80\x80\1\x11\x70"s + n128 + v70000, {{n128, v70000}}},
    {"C24_SmallLengthsInFourBytes", "\x80\0\0\1\x80\0\0\2"s + "abb", {{"a", "bb"}}},
    {"C24_ZeroInFourBytes", "\x80\0\0\0\x80\0\0\0"s, {{"", ""}}},
    {"C28_EmptyValue", "\1\0a"s, {{"a", ""}}},
    {"C28_EmptyName", "\0\1b"s, {{"", "b"}}},
    {"C28_EmptyPairs", "\0\0\0\0"s, {{"", ""}, {"", ""}}},
    {"C28_DuplicatesKeepTheirOrder", "\1\1ax\1\1by\1\1az", {{"a", "x"}, {"b", "y"}, {"a", "z"}}},
    {"C29_NulIsAByteLikeAnyOther", "\2\3a\0b\0c"s, {{"a\0"s, "b\0c"s}}},
    {"C28_BinaryValues", "\1\4a\xff\x80\r\n", {{"a", "\xff\x80\r\n"}}},
};

class GoodPairs : public testing::TestWithParam<GoodCase> {};

TEST_P(GoodPairs, AreRead) { EXPECT_EQ(read(GetParam().bytes), (Read{GetParam().expected, false})); }

/// Whatever is missing at the end, the pairs before are right, and half a pair is never taken for a whole.
TEST_P(GoodPairs, C27_AreBrokenWhenCutInsideAPair) {
  const auto& [name, bytes, expected] = GetParam();
  std::vector<std::size_t> ends = {0};
  PairReader reader(wire::bytes(bytes));
  while (const auto pair = reader.next()) {
    ends.push_back(static_cast<std::size_t>(pair->value.data() + pair->value.size() - bytes.data()));
  }
  ASSERT_EQ(ends.size(), expected.size() + 1);
  ASSERT_EQ(ends.back(), bytes.size());
  for (std::size_t whole = 0; whole + 1 < ends.size(); ++whole) {
    const Pairs before(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(whole));
    // Of a very long value some cuts are enough.
    const std::size_t step = ends[whole + 1] - ends[whole] > 1000 ? 97 : 1;
    for (std::size_t at = ends[whole]; at < ends[whole + 1]; at += at < ends[whole] + 300 ? 1 : step) {
      ASSERT_EQ(read(std::string_view(bytes).substr(0, at)), (Read{before, at != ends[whole]})) << at;
    }
  }
}

/// Each pair's size and text, of lengths in one byte and in four, empty ones, and more than fit in one call.
TEST(ManyPairs, AreReadAsTheyWereWrittenWhereverTheyAreCut) {
  base::Buffer encoded;
  std::vector<std::pair<std::string, std::string>> written;
  std::vector<std::size_t> ends = {0};
  for (std::size_t i = 0; i < 40; ++i) {
    written.emplace_back(std::string(i % 7 == 3 ? 0 : 5 * i, 'n'),
                         std::string(i % 5 == 0 ? 0 : (i * 37) % 200, 'v'));
    append_pair(encoded, written.back().first, written.back().second);
    ends.push_back(encoded.bytes().size());
  }
  for (std::size_t size = 0; size <= encoded.bytes().size(); ++size) {
    const std::vector<std::uint8_t> cut(encoded.bytes().begin(),
                                        encoded.bytes().begin() + static_cast<std::ptrdiff_t>(size));
    std::size_t whole = 0;
    while (whole + 1 < ends.size() && ends[whole + 1] <= size) ++whole;
    std::size_t zeros = 0;
    for (std::size_t i = 0; i < whole; ++i)
      zeros += (written[i].first.empty() ? 1U : 0U) + (written[i].second.empty() ? 1U : 0U) +
               (written[i].first.size() > 127 ? 2U : 0U) + (written[i].second.size() > 127 ? 2U : 0U);
    for (const std::size_t room : {1, 7, 64}) {
      PairReader reader(cut);
      std::vector<Pair> pairs(room);
      std::size_t count = 0;
      for (std::size_t n = room; n == room; count += n) {
        n = reader.next(pairs);
        for (std::size_t i = 0; i < n; ++i) {
          ASSERT_EQ(pairs[i].name, written[count + i].first) << size;
          ASSERT_EQ(pairs[i].value, written[count + i].second) << size;
        }
      }
      ASSERT_EQ(count, whole) << size << " " << room;
      ASSERT_EQ(reader.broken(), ends[whole] != size) << size << " " << room;
      if (!reader.broken()) {
        ASSERT_EQ(reader.zeros_in_lengths(), zeros) << size << " " << room;
      }
    }
  }
}

TEST(ExpectedPairs, AreCountedAsFarAsTheirNamesAreTheExpectedOnesAndReadAsAnyOthers) {
  base::KeptNames expected;
  base::Buffer encoded;
  std::vector<std::size_t> ends = {0};
  for (const std::size_t size : {8, 3, 12, 31, 127, 6, 128, 33, 16, 9, 0, 17}) {
    ASSERT_TRUE(expected.add(std::string(size, 'n')));
    append_pair(encoded, std::string(size, 'n'), std::string(size % 5 == 2 ? 0 : 11 * size, 'v'));
    ends.push_back(encoded.size());
  }
  for (std::size_t whole = 0; whole < ends.size(); ++whole) {
    for (const std::size_t room : {1, 5, 64}) {
      // Those that are expected, then another, then no more than were expected.
      const std::string text = std::string(base::as_text(encoded.bytes()).substr(0, ends[whole])) +
                               "\6\1HTTPS_v" +
                               std::string(base::as_text(encoded.bytes()).substr(ends[whole]));
      const std::vector<std::uint8_t> block(text.begin(), text.end());
      PairReader alone{base::Bytes(block)};
      PairReader reader(block, &expected);
      std::vector<Pair> pairs(room);
      for (std::size_t n = room; n == room;) {
        n = reader.next(pairs);
        for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(alone.next(), pairs[i]) << whole << " " << room;
      }
      EXPECT_EQ(alone.next(), std::nullopt);
      EXPECT_EQ(reader.as_expected(), whole) << room;
      EXPECT_FALSE(reader.broken());
      EXPECT_EQ(reader.zeros_in_lengths(), alone.zeros_in_lengths());
    }
  }
}

TEST_P(GoodPairs, AreReadBackFromTheEncoder) {
  base::Buffer encoded;
  for (const auto& [name, value] : GetParam().expected) append_pair(encoded, name, value);
  EXPECT_EQ(read(base::as_text(encoded.bytes())), (Read{GetParam().expected, false}));
}

INSTANTIATE_TEST_SUITE_P(Table, GoodPairs, testing::ValuesIn(good_cases),
                         [](const auto& each) { return std::string(each.param.name); });

struct BrokenCase {
  std::string_view name;
  std::string bytes;

  friend void PrintTo(const BrokenCase& each, std::ostream* to) { *to << each.name; }
};

const BrokenCase broken_cases[] = {
    {"C26_LargestLengths", "\xff\xff\xff\xff\xff\xff\xff\xff"s},
    {"C26_LargestLengthsWithSomeContent", "\xff\xff\xff\xff\xff\xff\xff\xff"s + "abcdef"},
    {"C26_NameFitsValueIsLargest", "\1\xff\xff\xff\xff"s + "ab"},
    {"C26_SumWrapsTo2In32Bits", "\xff\xff\xff\xff\xff\xff\xff\xff"s + "xx"},
    {"C26_SumWrapsTo0In31Bits", "\xc0\0\0\0\xc0\0\0\0"s},
    {"C26_LargestNameEmptyValue", "\xff\xff\xff\xff\0"s},
    {"C27_OneByteTooFew", "\3\3abcde"},
    {"C27_LengthOnly", "\1"},
    {"C27_CutFourByteLength", "\x80\0\0"s},
};

class BrokenPairs : public testing::TestWithParam<BrokenCase> {};

TEST_P(BrokenPairs, AreRefused) { EXPECT_EQ(read(GetParam().bytes), (Read{{}, true})); }

TEST_P(BrokenPairs, AreRefusedAfterGoodOnes) {
  EXPECT_EQ(read("\1\1ab" + GetParam().bytes), (Read{{{"a", "b"}}, true}));
}

INSTANTIATE_TEST_SUITE_P(Table, BrokenPairs, testing::ValuesIn(broken_cases),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace trivet::protocol
