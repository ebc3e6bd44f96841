#include "runtime/base/name_index.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace trivet::base {
namespace {

using Names = std::vector<std::string>;

bool build(NameIndex& index, const Names& names) {
  return index.build(static_cast<std::uint32_t>(names.size()),
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

}  // namespace
}  // namespace trivet::base
