#include "runtime/plugin/private_copy.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <string>

#include "tests/unit/plugin/files.hpp"

namespace trivet::plugin {
namespace {

TEST(PrivateCopy, IsTheSameBytesInAFileOfItsOwn) {
  const TemporaryFolder folder;
  const std::string content(3'000'000, 'x');
  write_file(folder / "original", content);
  const auto original = open_regular(folder / "original");
  ASSERT_TRUE(original.ok()) << original.error().message;
  const auto first = copy_private(original.value(), folder.path(), "name");
  const auto second = copy_private(original.value(), folder.path(), "name");
  ASSERT_TRUE(first.ok()) << first.error().message;
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_NE(first.value().path, second.value().path);
  for (const auto* copy : {&first.value(), &second.value()}) {
    const auto bytes = read_file(copy->path);
    EXPECT_EQ(std::string(bytes.begin(), bytes.end()), content);
    struct stat about{};
    ASSERT_EQ(stat(copy->path.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777, 0500U);
    EXPECT_EQ(copy->file.size, content.size());
    EXPECT_TRUE(copy->path.starts_with(folder / "name-" + std::to_string(getpid()) + "-")) << copy->path;
  }
}

TEST(PrivateCopy, OfAFileThatShrankIsRefusedAndLeavesNothingBehind) {
  const TemporaryFolder folder;
  const TemporaryFolder cache;
  write_file(folder / "original", "0123456789");
  const auto original = open_regular(folder / "original");
  ASSERT_TRUE(original.ok());
  write_file(folder / "original", "01234");
  const auto copy = copy_private(original.value(), cache.path(), "name");
  ASSERT_FALSE(copy.ok());
  EXPECT_EQ(copy.error().message,
            "changed while it was being copied: install plugins by renaming a complete file into place");
  EXPECT_EQ(cache.entries(), 0U);
}

TEST(PrivateCopy, NeedsAFolderThatIsThere) {
  const TemporaryFolder folder;
  write_file(folder / "original", "0123456789");
  const auto original = open_regular(folder / "original");
  ASSERT_TRUE(original.ok());
  const auto copy = copy_private(original.value(), folder / "gone", "name");
  ASSERT_FALSE(copy.ok());
  EXPECT_EQ(copy.error().message, "plugin_cache \"" + (folder / "gone") +
                                      "\" cannot be used: No such file or directory: create it, or set "
                                      "server.plugin_cache to another folder");
}

TEST(PrivateCopy, NeedsAFolderFromWhichCodeMayRun) {
  EXPECT_EQ(refuse_mount("/run/trivet", 0), "");
  EXPECT_EQ(refuse_mount("/run/trivet", ST_RDONLY | ST_NOSUID | ST_NODEV), "");
  EXPECT_EQ(
      refuse_mount("/run/trivet", ST_NOEXEC | ST_NOSUID),
      "plugin_cache \"/run/trivet\" is on a filesystem mounted noexec, from which no code can be loaded: set "
      "server.plugin_cache to a folder on another filesystem");
}

TEST(PrivateCopy, IsNeverMadeOnAMountThatForbidsCode) {
  const TemporaryFolder folder;
  write_file(folder / "original", "0123456789");
  const auto original = open_regular(folder / "original");
  ASSERT_TRUE(original.ok());
  // Whichever of these the machine has and mounts noexec; none of them everywhere.
  for (const std::string mount : {"/proc", "/sys", "/run", "/dev/shm", "/run/lock", "/dev/mqueue"}) {
    struct statvfs about{};
    if (statvfs(mount.c_str(), &about) != 0 || (about.f_flag & ST_NOEXEC) == 0) continue;
    const auto copy = copy_private(original.value(), mount, "name");
    ASSERT_FALSE(copy.ok());
    EXPECT_EQ(copy.error().message, refuse_mount(mount, about.f_flag));
  }
}

TEST(PrivateCopy, NeedsAFolderThatTakesFiles) {
  const TemporaryFolder folder;
  write_file(folder / "original", "0123456789");
  const auto original = open_regular(folder / "original");
  ASSERT_TRUE(original.ok());
  const auto copy = copy_private(original.value(), folder / "original", "name");  // A file: also root cannot.
  ASSERT_FALSE(copy.ok());
  EXPECT_EQ(copy.error().message,
            "plugin_cache \"" + (folder / "original") +
                "\" takes no files: Not a directory: let the host's user write there, or set "
                "server.plugin_cache to another folder");
}

TEST(OpenRegular, DoesNotWaitForAWriterOfAFifo) {
  const TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);
  const auto file = open_regular(folder / "fifo");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().message, "is no regular file: name the plugin's file in `file`");
}

}  // namespace
}  // namespace trivet::plugin
