#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "runtime/cli/bench/histogram.hpp"

namespace trivet::cli::bench {
namespace {

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

TEST(BenchHistogram, BucketsFollowEachOtherWithoutAGap) {
  for (std::size_t bucket = 0; bucket < Histogram::buckets; ++bucket) {
    const std::uint64_t end = Histogram::end_of(bucket);
    ASSERT_EQ(Histogram::bucket_of(end), bucket);
    if (end == most) {
      EXPECT_EQ(bucket + 1, Histogram::buckets) << "the largest value is in the last bucket";
    } else {
      ASSERT_EQ(Histogram::bucket_of(end + 1), bucket + 1) << "after " << end;
    }
  }
}

TEST(BenchHistogram, ABucketIsAtMostA128thOfItsValues) {
  for (std::size_t bucket = 1; bucket < Histogram::buckets; ++bucket) {
    const std::uint64_t begin = Histogram::end_of(bucket - 1) + 1;
    ASSERT_LE(Histogram::end_of(bucket) - begin, begin / 128) << "from " << begin;
  }
}

TEST(BenchHistogram, PercentilesAreThoseOfTheSortedValuesOrABucketAbove) {
  constexpr unsigned seed = 4711;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (const int count : {1, 2, 3, 100, 5000}) {
    Histogram histogram;
    std::vector<std::uint64_t> values;
    for (int each = 0; each < count; ++each) {
      // Of all magnitudes alike, as latencies are not: every row of buckets is in use.
      const std::uint64_t value = random() >> (random() % 64);
      values.push_back(value);
      histogram.add(value);
    }
    std::sort(values.begin(), values.end());
    for (const double share : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const auto rank = static_cast<std::size_t>(std::ceil(share * count));
      const std::uint64_t exact = values[std::max<std::size_t>(rank, 1) - 1];
      EXPECT_GE(histogram.at(share), exact) << count << " values, " << share;
      EXPECT_LE(histogram.at(share) - exact, exact / 128) << count << " values, " << share;
    }
    EXPECT_EQ(histogram.count(), values.size());
    EXPECT_EQ(histogram.smallest(), values.front());
    EXPECT_EQ(histogram.largest(), values.back());
    EXPECT_EQ(histogram.at(1.0), values.back()) << "the largest is exact";
  }
}

TEST(BenchHistogram, MeanIsThatOfTheValues) {
  Histogram histogram;
  for (const std::uint64_t value : {1U, 2U, 6U}) histogram.add(value);
  EXPECT_DOUBLE_EQ(histogram.mean(), 3.0);
}

TEST(BenchHistogram, WithoutValuesEverythingIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.at(0.5) + histogram.smallest() + histogram.largest() + histogram.count(), 0U);
  EXPECT_EQ(histogram.mean(), 0);
}

TEST(BenchHistogram, OfManyValuesNoneIsLost) {
  Histogram histogram;
  for (int each = 0; each < 1'000'000; ++each) histogram.add(each < 999'000 ? 1000 : 1'000'000);
  EXPECT_EQ(histogram.at(0.999), Histogram::end_of(Histogram::bucket_of(1000)));
  EXPECT_EQ(histogram.at(0.9991), 1'000'000U);
}

}  // namespace
}  // namespace trivet::cli::bench
