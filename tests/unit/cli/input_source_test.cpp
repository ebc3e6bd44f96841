#include "runtime/cli/input_source.hpp"

#include <gtest/gtest.h>

#include <array>

#include "tests/unit/cli/scratch_file.hpp"

namespace trivet::cli {
namespace {

using Piece = InputSource::Piece;

std::string read_all(InputSource& source, std::size_t most) {
  std::string all;
  for (;;) {
    base::Buffer piece;
    const auto got = source.read(piece, most);
    if (!got) return all + "!" + got.error().message;
    if (got.value() == Piece::end) return all;
    EXPECT_LE(piece.size(), most);
    all += base::as_text(piece.bytes());
  }
}

TEST(InputSource, ATextIsItself) {
  for (const std::string_view text : {"", "text", "a@b", "-"}) {
    auto source = InputSource::open(text);
    ASSERT_TRUE(source.ok());
    EXPECT_EQ(source.value().length(), text.size());
    EXPECT_EQ(source.value().modified(), std::nullopt);
    EXPECT_EQ(source.value().poll_descriptor(), -1);
    EXPECT_EQ(read_all(source.value(), 3), text);
  }
}

TEST(InputSource, AFileIsReadInPieces) {
  const std::string content(1000, 'c');
  const ScratchFile file(content);
  auto source = InputSource::open("@" + file.path());
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(source.value().length(), content.size());
  EXPECT_TRUE(source.value().modified().has_value());
  EXPECT_EQ(read_all(source.value(), 7), content);
}

TEST(InputSource, AFileThatGrewIsReadAsFarAsWasPromised) {
  const ScratchFile file("first");
  auto source = InputSource::open("@" + file.path());
  ASSERT_TRUE(source.ok());
  file.write("first, then more");
  EXPECT_EQ(read_all(source.value(), 100), "first");
}

TEST(InputSource, AFileThatShrankIsAnError) {
  const ScratchFile file("first, then more");
  auto source = InputSource::open("@" + file.path());
  ASSERT_TRUE(source.ok());
  file.write("first");
  const std::string read = read_all(source.value(), 100);
  EXPECT_TRUE(read.starts_with("first!")) << read;
  EXPECT_NE(read.find("became shorter while it was sent: 5 of 16 bytes were read"), std::string::npos)
      << read;
}

TEST(InputSource, WhatCannotBeReadIsToldByName) {
  for (const std::string_view from : {"@/nonexistent/file", "@/", "@"}) {
    const auto source = InputSource::open(from);
    ASSERT_FALSE(source.ok()) << from;
    EXPECT_NE(source.error().message.find("\"" + std::string(from.substr(1)) + "\" cannot be read"),
              std::string::npos)
        << source.error().message;
  }
}

TEST(InputSource, AFileOfTheKernelHasNoLengthThatCouldBePromised) {
  auto source = InputSource::open("@/proc/self/status");
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(source.value().length(), std::nullopt);
  EXPECT_NE(read_all(source.value(), 64).find("Name:"), std::string::npos);
}

TEST(InputSource, ADeviceMayHaveToBeWaitedFor) {
  auto source = InputSource::open("@/dev/null");
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(source.value().length(), std::nullopt);
  EXPECT_GE(source.value().poll_descriptor(), 0);
  EXPECT_EQ(read_all(source.value(), 64), "");
}

}  // namespace
}  // namespace trivet::cli
