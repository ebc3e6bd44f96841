#include "runtime/base/kept_names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace trivet::base {
namespace {

TEST(KeptNames, AreTheSameOnlyWhereEachByteIs) {
  KeptNames kept;
  for (std::size_t size = 0; size < 70; ++size) {
    std::string name;
    for (std::size_t at = 0; at < size; ++at) name += static_cast<char>('A' + at);
    ASSERT_TRUE(kept.add(name)) << size;
    const std::uint32_t number = kept.size() - 1;
    const bool has_words = kept.data()[number].is(name);
    EXPECT_EQ(has_words, size >= 4 && size <= 32) << size;
    EXPECT_TRUE(kept.is(number, name)) << size;
    EXPECT_FALSE(kept.is(number, name + "X")) << size;
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = name;
      other[at] = '\0';
      EXPECT_FALSE(kept.is(number, other)) << size << " " << at;
      EXPECT_FALSE(kept.data()[number].is(other)) << size << " " << at;
      EXPECT_FALSE(kept.is(number, name.substr(at + 1))) << size << " " << at;
      EXPECT_FALSE(kept.data()[number].is(name.substr(at + 1))) << size << " " << at;
    }
    name.assign(size, '-');  // It is a copy.
    EXPECT_EQ(kept.is(number, name), size == 0) << size;
  }
}

TEST(KeptNames, AreNoMoreThanThereIsRoomFor) {
  KeptNames kept;
  for (int round = 0; round < 3; ++round) {
    std::uint32_t added = 0;
    while (kept.add("HTTP_" + std::to_string(added))) ++added;
    EXPECT_EQ(added, 96U);
    kept.truncate(0);
    added = 0;
    while (kept.add(std::string(100, static_cast<char>('A' + added)))) ++added;
    EXPECT_EQ(added, 20U);
    EXPECT_TRUE(kept.add("A_SHORT_ONE"));
    for (std::uint32_t each = 0; each < added; ++each)
      EXPECT_TRUE(kept.is(each, std::string(100, static_cast<char>('A' + each))));
    kept.truncate(10);
    kept.truncate(11);
    EXPECT_EQ(kept.size(), 10U);
    EXPECT_TRUE(kept.add(std::string(100, '-')));
    EXPECT_TRUE(kept.is(9, std::string(100, 'J')));
    EXPECT_TRUE(kept.is(10, std::string(100, '-')));
    kept.truncate(0);
  }
}

}  // namespace
}  // namespace trivet::base
