#include "runtime/base/buffer.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace trivet::base {
namespace {

std::string text_of(const Buffer& buffer) { return std::string(as_text(buffer.bytes())); }

TEST(Buffer, StartsEmptyAndWithoutMemory) {
  const Buffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_TRUE(buffer.bytes().empty());
}

TEST(Buffer, KeepsBytesInOrderWhileConsumedAtTheFront) {
  Buffer buffer;
  buffer.append("hello ");
  buffer.append("world");
  buffer.consume(3);
  EXPECT_EQ(text_of(buffer), "lo world");
}

TEST(Buffer, TakesBytesInPlace) {
  Buffer buffer;
  const auto room = buffer.prepare(8);
  ASSERT_EQ(room.size(), 8U);
  std::memcpy(room.data(), "abc", 3);
  buffer.commit(3);
  EXPECT_EQ(text_of(buffer), "abc");
}

TEST(Buffer, ForgetsItsLastBytes) {
  Buffer buffer;
  buffer.append("xxkeep drop");
  buffer.consume(2);
  buffer.truncate(4);
  EXPECT_EQ(text_of(buffer), "keep");
  buffer.truncate(0);
  EXPECT_TRUE(buffer.empty());
}

TEST(Buffer, KeepsItsBlockWhenClearedAndGivesItBackWhenReleased) {
  Buffer buffer;
  buffer.append(std::string(1000, 'x'));
  const std::size_t capacity = buffer.capacity();
  buffer.clear();
  EXPECT_EQ(buffer.capacity(), capacity);
  buffer.release();
  EXPECT_EQ(buffer.capacity(), 0U);
  buffer.append("again");
  EXPECT_EQ(text_of(buffer), "again");
}

TEST(Buffer, IsEmptyAfterItWasMovedFrom) {
  Buffer from;
  from.append("bytes");
  Buffer to(std::move(from));
  EXPECT_EQ(text_of(to), "bytes");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the promise
  from.append("new");
  to = std::move(from);
  EXPECT_EQ(text_of(to), "new");
}

TEST(Buffer, DoesNotGrowWhileAsMuchIsConsumedAsIsAppended) {
  Buffer buffer;
  buffer.append(std::string(100, 'x'));
  for (int i = 0; i < 10'000; ++i) {
    buffer.append(std::string(50, 'y'));
    buffer.consume(50);
  }
  EXPECT_LE(buffer.capacity(), 1024U);
}

TEST(Buffer, AgreesWithAPlainQueueOverManyRandomSteps) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Buffer buffer;
  std::deque<std::uint8_t> plain;
  std::uint8_t next = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t n = random() % 700;
    switch (random() % 8) {
      case 0:
      case 1:
      case 2: {
        std::vector<std::uint8_t> bytes(n);
        for (auto& byte : bytes) byte = next++;
        buffer.append(Bytes(bytes));
        plain.insert(plain.end(), bytes.begin(), bytes.end());
        break;
      }
      case 3: {
        const auto room = buffer.prepare(n + 10);
        for (std::size_t i = 0; i < n; ++i) {
          room[i] = next;
          plain.push_back(next++);
        }
        buffer.commit(n);
        break;
      }
      case 4: {
        const std::size_t kept = plain.size() - std::min(plain.size(), n / 10);
        buffer.truncate(kept);
        plain.resize(kept);
        break;
      }
      default: {
        const std::size_t gone = std::min(plain.size(), n);
        buffer.consume(gone);
        plain.erase(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(gone));
        break;
      }
    }
    ASSERT_EQ(buffer.size(), plain.size()) << "step " << step;
    ASSERT_TRUE(std::equal(plain.begin(), plain.end(), buffer.bytes().begin())) << "step " << step;
  }
}

}  // namespace
}  // namespace trivet::base
