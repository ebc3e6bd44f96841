#include "runtime/log/line_builder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>

namespace trivet::log {
namespace {

TEST(LineBuilderFields, AreWhatFieldWritesAtEveryLengthUpToTheBound) {
  constexpr std::uint64_t numbers[] = {
      0, 7, 10, 99, 100, 105, 999, 1000, 9999, 10000, 1234567, std::numeric_limits<std::uint64_t>::max()};
  const std::string values[] = {"",
                                "bare",
                                "not bare",
                                "a\"b\\",
                                "\x01\xff",
                                "gr\xc3\xbc\xc3\x9f",
                                std::string(15, 'b'),
                                std::string(16, 'b'),
                                std::string(33, ' ')};
  const auto written = [](Settings::Format format, std::size_t filled, auto&& add) {
    std::array<char, LineBuilder::capacity> room;
    LineBuilder line(room.data(), format, {}, Level::info, std::string(filled, 'x'));
    add(line);
    return std::string(line.finish());
  };
  const auto compare = [&](std::size_t filled) {
    for (const Settings::Format format : {Settings::Format::text, Settings::Format::json}) {
      for (const std::uint64_t number : numbers) {
        const auto fast = written(format, filled, [&](LineBuilder& line) {
          line.fields(Number<"one">{number}, Text<"two">{"bare", true}, Number<"three">{number / 3});
        });
        const auto slow = written(format, filled, [&](LineBuilder& line) {
          line.field("one", std::to_string(number));
          line.field("two", "bare");
          line.field("three", std::to_string(number / 3));
        });
        ASSERT_EQ(fast, slow) << filled;
      }
      for (const std::string& value : values) {
        const auto fast = written(format, filled, [&](LineBuilder& line) {
          line.fields(Text<"one">{value}, Number<"none">{}, Text<"two">{value}, Text<"bare">{"", true});
        });
        const auto slow = written(format, filled, [&](LineBuilder& line) {
          if (value.empty()) return;
          line.field("one", value);
          line.field("two", value);
        });
        ASSERT_EQ(fast, slow) << filled;
      }
      constexpr std::string_view words[] = {"a", "of_eight", "of_11_bytes", "authorizer-and-more", ""};
      for (std::size_t i = 0; i < std::size(words); ++i) {
        const auto fast = written(format, filled, [&](LineBuilder& line) {
          line.fields(OneOf<"word", "a", "of_eight", "of_11_bytes", "authorizer-and-more", "">{i},
                      Number<"two">{2});
        });
        const auto slow = written(format, filled, [&](LineBuilder& line) {
          if (!words[i].empty()) line.field("word", words[i]);
          line.field("two", "2");
        });
        ASSERT_EQ(fast, slow) << filled;
      }
    }
  };
  compare(5);
  for (std::size_t filled = LineBuilder::capacity - 200; filled < LineBuilder::capacity; ++filled)
    compare(filled);
}

TEST(LineBuilderFields, AreNeverWrittenBehindTheRoomOfALine) {
  constexpr std::size_t behind = 64;
  const auto try_length = [](Settings::Format format, std::size_t length, char c) {
    std::array<char, LineBuilder::capacity + behind> room;
    room.fill('#');
    LineBuilder line(room.data(), format, {}, Level::info, "event");
    const std::string long_value(length, c);
    const std::string short_value(length % 40, c);
    line.fields(Text<"one">{long_value}, Number<"two">{length},
                Number<"three">{std::numeric_limits<std::uint64_t>::max()}, Text<"four">{"bare", true},
                Text<"five">{short_value}, OneOf<"six", "small", "authorizer">{length % 2});
    ASSERT_LE(line.finish().size(), LineBuilder::capacity) << length;
    ASSERT_EQ(std::string(room.end() - behind, room.end()), std::string(behind, '#')) << length;
  };
  // As many bytes as one of a value may become.
  for (const std::size_t longer : {1, 2, 4, 5}) {
    for (std::size_t less = 0; less < 300; ++less) {
      const std::size_t length = (LineBuilder::capacity + 100) / longer - less;
      for (const char c : {'b', ' ', '"', '\n', '\xff'}) {
        try_length(Settings::Format::text, length, c);
        try_length(Settings::Format::json, length, c);
      }
    }
  }
}

TEST(LineBuilderFields, AreWhatFieldWritesOfEveryNumber) {
  for (std::uint64_t number = 0; number < 20000; ++number) {
    std::array<char, LineBuilder::capacity> room;
    LineBuilder line(room.data(), Settings::Format::text, {}, Level::info, "event");
    line.fields(Number<"one">{number});
    ASSERT_EQ(line.finish(), "info  event one=" + std::to_string(number) + "\n");
  }
}

TEST(Microseconds, AreCountedBetweenTimesThatAreSet) {
  constexpr base::TimePoint start{base::Duration(1)};
  const auto later = [&](std::int64_t nanoseconds) { return start + base::Duration(nanoseconds); };
  EXPECT_EQ(microseconds(start, start), 0U);
  EXPECT_EQ(microseconds(start, later(999)), 0U);
  EXPECT_EQ(microseconds(start, later(1000)), 1U);
  EXPECT_EQ(microseconds(start, later(3'600'000'000'999)), 3'600'000'000U);
  EXPECT_EQ(microseconds(later(5000), start), 0U) << "It goes back.";
  EXPECT_EQ(microseconds({}, start), std::nullopt);
  EXPECT_EQ(microseconds(start, {}), std::nullopt);
}

/// A line of one value.
std::string line_of(Settings::Format format, std::string_view value, bool by_field) {
  std::array<char, LineBuilder::capacity> room;
  LineBuilder line(room.data(), format, {}, Level::info, "event");
  if (by_field) {
    line.field("key", value);
  } else {
    line.fields(Text<"key">{value});
  }
  return std::string(line.finish());
}

TEST(LineBuilderFields, AreWhatFieldWritesOfEveryByteAtEveryPlace) {
  const std::string filling = "0az9AZ-_.,:/@%+BCDEFGHIJKLMNOPQRSTUVWXYbcdefghijklmn";
  for (std::size_t length = 1; length <= filling.size(); ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (int c = 0; c < 256; ++c) {
        const std::unique_ptr<char[]> alone(new char[length]);  // So that a byte too many is found.
        filling.copy(alone.get(), length);
        alone[at] = static_cast<char>(c);
        const std::string_view value(alone.get(), length);
        for (const Settings::Format format : {Settings::Format::text, Settings::Format::json}) {
          ASSERT_EQ(line_of(format, value, false), line_of(format, value, true))
              << "byte " << c << " at " << at << " of " << length;
        }
      }
    }
  }
}

TEST(LineBuilderFields, AreWhatFieldWritesOfValuesOfEveryLength) {
  const std::string many(LineBuilder::capacity + 100, 'b');
  for (const char last : {'b', ' ', '"', '\n', '\xff'}) {
    for (std::size_t length = 0; length < many.size(); length += length > 300 && length < 7900 ? 97 : 1) {
      const std::string value = many.substr(0, length) + last;
      for (const Settings::Format format : {Settings::Format::text, Settings::Format::json})
        ASSERT_EQ(line_of(format, value, false), line_of(format, value, true)) << length;
    }
  }
}

}  // namespace
}  // namespace trivet::log
