#include "runtime/host/upgrade.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace trivet::host {
namespace {

class ProgramFiles : public ::testing::Test {
 protected:
  ProgramFiles() {
    std::string folder = (std::filesystem::temp_directory_path() / "trivet-test-XXXXXX").string();
    folder_ = ::mkdtemp(folder.data());
    path_ = folder_ + "/program";
    write(path_, "one");
  }
  ~ProgramFiles() override { std::filesystem::remove_all(folder_); }

  static void write(const std::string& path, const std::string& text,
                    std::ios::openmode mode = std::ios::trunc) {
    std::ofstream(path, std::ios::out | mode) << text;
    ::chmod(path.c_str(), 0755);
  }

  std::string folder_;
  std::string path_;
};

TEST_F(ProgramFiles, AreUnchangedUntilSomebodyWritesReplacesOrForbidsThem) {
  const auto unchanged = ProgramFile::open(path_);
  ASSERT_TRUE(unchanged.ok());
  EXPECT_TRUE(unchanged.value().expect_unchanged());
  EXPECT_TRUE(unchanged.value().expect_unchanged());

  const auto written = ProgramFile::open(path_);
  write(path_, "more", std::ios::app);
  const auto forbidden = ProgramFile::open(path_);
  ::chmod(path_.c_str(), 0600);
  const auto replaced = ProgramFile::open(path_);
  write(path_ + ".new", "two");
  std::filesystem::rename(path_ + ".new", path_);
  for (const auto* each : {&written, &forbidden, &replaced}) {
    ASSERT_TRUE(each->ok());
    const auto wrong = each->value().expect_unchanged();
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().message,
              "\"" + path_ + "\" has changed since it was asked whether it can take over: ask again");
  }

  const auto removed = ProgramFile::open(path_);
  std::filesystem::remove(path_);
  ASSERT_TRUE(removed.ok());
  const auto wrong = removed.value().expect_unchanged();
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("No such file or directory"), std::string::npos);
  EXPECT_FALSE(ProgramFile::open(path_).ok());
}

}  // namespace
}  // namespace trivet::host
