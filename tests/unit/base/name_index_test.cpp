#include "runtime/base/name_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace trivet::base {
namespace {

using Names = std::vector<std::string>;

/// As whoever read them would, who compared them with those before.
bool build(NameIndex& index, const Names& names) {
  std::uint32_t same = 0;
  while (same < std::min<std::size_t>(names.size(), index.names().size()) &&
         index.names().is(same, names[same]))
    ++same;
  return index.build(static_cast<std::uint32_t>(names.size()), same,
                     [&](std::uint32_t number) { return std::string_view(names[number]); });
}

std::uint32_t find(const NameIndex& index, const Names& names, std::string_view name) {
  return index.find(name, NameIndex::hash(name),
                    [&](std::uint32_t number) { return std::string_view(names[number]); });
}

TEST(NameIndex, EachOfManyNamesIsFoundWhereItIsAndNoOther) {
  NameIndex index;
  for (const std::size_t count : {1000, 3, 0, 40}) {  // One index for a long list and short ones after it.
    Names names;
    for (std::size_t i = 0; i < count; ++i) names.push_back(std::string(i % 23, 'x') + std::to_string(i));
    ASSERT_TRUE(build(index, names)) << count;
    for (std::uint32_t i = 0; i < names.size(); ++i) EXPECT_EQ(find(index, names, names[i]), i);
    for (const char* other : {"", "x", "HTTP_HOST", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})
      EXPECT_EQ(find(index, names, other), NameIndex::none) << count << other;
  }
}

TEST(NameIndex, ANameThatComesTwiceIsSeenWhereverItIsAndHoweverLongItIs) {
  NameIndex index;
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string twice(size, 'n');
    EXPECT_FALSE(build(index, {twice, "A", "B", twice})) << size;
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = twice;
      other[at] = 'm';
      EXPECT_TRUE(build(index, {twice, other})) << size << " " << at;
      EXPECT_EQ(find(index, {twice, other}, other), 1U) << size << " " << at;
    }
  }
}

TEST(NameIndex, NamesThatWereMadeToCollideAreGivenUpBeforeTheyCostMuch) {
  Names names;
  for (int i = 0; i < 10000; ++i) names.push_back("begin---" + std::to_string(100000 + i) + "---ends");
  NameIndex index;
  EXPECT_FALSE(build(index, names));
  names.resize(3);  // A few that collide by chance are found.
  ASSERT_TRUE(build(index, names));
  EXPECT_EQ(find(index, names, names[2]), 2U);
}

TEST(NameIndex, AListThatBeginsAsTheOneBeforeIsFoundAsIfItWereTheFirst) {
  const Names first = {"A",     "GATEWAY_INTERFACE", "QUERY_STRING", "REQUEST_METHOD", "SERVER_SOFTWARE",
                       "HTTP_X"};
  NameIndex index;
  for (std::size_t same = 0; same <= first.size(); ++same) {
    for (std::size_t more = 0; more < 30; more = 3 * more + 1) {
      index.forget();
      ASSERT_TRUE(build(index, first));
      EXPECT_EQ(index.unchanged(), 0U);
      Names names(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(same));
      for (std::size_t i = 0; i < more; ++i) names.push_back("HTTP_ANOTHER_HEADER_" + std::to_string(i));
      ASSERT_TRUE(build(index, names));
      EXPECT_EQ(index.unchanged(), names.size() > 8 ? 0U : same) << "as many as its table has room for";
      for (std::uint32_t i = 0; i < names.size(); ++i) EXPECT_EQ(find(index, names, names[i]), i);
      for (std::size_t i = same; i < first.size(); ++i)
        EXPECT_EQ(find(index, names, first[i]), NameIndex::none) << first[i];
    }
  }
}

TEST(NameIndex, ANameIsTheOneBeforeOnlyWhereEachByteIs) {
  for (std::size_t size = 1; size < 40; ++size) {
    const std::string name(size, 'n');
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = name;
      other[at] = 'm';
      NameIndex index;
      ASSERT_TRUE(build(index, {"A", name, "B"}));
      ASSERT_TRUE(build(index, {"A", other, "B"}));
      EXPECT_EQ(index.unchanged(), 1U) << size << " " << at;
      EXPECT_EQ(find(index, {"A", other, "B"}, name), NameIndex::none);
      EXPECT_EQ(find(index, {"A", other, "B"}, other), 1U);
      EXPECT_FALSE(build(index, {"A", other, name, other}));  // Twice, the first time unchanged.
      ASSERT_TRUE(build(index, {"A", other, "B"}));
      EXPECT_EQ(find(index, {"A", other, "B"}, "B"), 2U);
    }
  }
}

TEST(NameIndex, MoreNamesThanAreKeptAreFoundAgainAndAgain) {
  NameIndex index;
  for (const std::size_t length : {5, 60, 600}) {
    for (const std::size_t count : {200, 200, 97, 96, 95, 200, 3}) {
      Names names;
      for (std::size_t i = 0; i < count; ++i) names.push_back(std::to_string(i) + std::string(length, 'x'));
      ASSERT_TRUE(build(index, names)) << count;
      for (std::uint32_t i = 0; i < names.size(); ++i) EXPECT_EQ(find(index, names, names[i]), i);
      EXPECT_EQ(find(index, names, std::to_string(count) + std::string(length, 'x')), NameIndex::none);
    }
  }
}

}  // namespace
}  // namespace trivet::base
