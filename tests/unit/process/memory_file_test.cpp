#include "runtime/process/memory_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace trivet::process {
namespace {

TEST(MemoryFiles, HoldWhatWasWritten) {
  for (const std::string& bytes : {std::string(), std::string("a\0b", 3), std::string(1U << 20U, 'x')}) {
    const auto file = make_memory_file("test", bytes, Sealed::no, "cannot");
    ASSERT_TRUE(file.ok());
    EXPECT_EQ(read_memory_file(file.value().get()), bytes);
    EXPECT_EQ(::fcntl(file.value().get(), F_GETFD), FD_CLOEXEC);
  }
}

TEST(MemoryFiles, ThatAreSealedCannotBeChanged) {
  const auto sealed = make_memory_file("test", "text", Sealed::yes, "cannot");
  ASSERT_TRUE(sealed.ok());
  EXPECT_EQ(::pwrite(sealed.value().get(), "x", 1, 0), -1);
  EXPECT_EQ(::ftruncate(sealed.value().get(), 1), -1);
  EXPECT_EQ(read_memory_file(sealed.value().get()), "text");
  const auto open = make_memory_file("test", "text", Sealed::no, "cannot");
  EXPECT_EQ(::pwrite(open.value().get(), "x", 1, 0), 1);
}

TEST(MemoryFiles, AreNothingWhereNoFileIsOpen) { EXPECT_FALSE(read_memory_file(-1)); }

}  // namespace
}  // namespace trivet::process
