#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <trivet/file_reader.hpp>

namespace trivet::sdk {
namespace {

using std::chrono::milliseconds;
using Outcome = FileReader::Outcome;

/// A file whose times a test sets, and a clock that it moves.
class FileReading : public testing::Test {
 protected:
  FileReading() : folder_(testing::TempDir() + "/reader-XXXXXX") {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/file";
    write("first");
    reader_.emplace(path_, 100, FilePace{});
  }
  ~FileReading() override { std::filesystem::remove_all(folder_); }
  FileReading(const FileReading&) = delete;
  FileReading& operator=(const FileReading&) = delete;

  /// Written in place, at this time of the test's clock or earlier.
  void write(std::string_view text, milliseconds ago = milliseconds(5000)) {
    std::ofstream(path_, std::ios::trunc) << text;
    set_time(path_, ago);
  }
  void replace(std::string_view text, milliseconds ago = milliseconds(5000)) {
    std::ofstream(folder_ + "/next") << text;
    set_time(folder_ + "/next", ago);
    std::filesystem::rename(folder_ + "/next", path_);
  }
  void set_time(const std::string& path, milliseconds ago) {
    const auto time = (wall_ - ago).time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const timespec written{seconds.count(), std::chrono::nanoseconds(time - seconds).count()};
    const timespec times[2] = {written, written};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  Outcome look_after(int later) {
    steady_ += milliseconds(later);
    wall_ += milliseconds(later);
    return reader_->look(steady_, wall_);
  }

  std::string folder_;
  std::string path_;
  FileReader::Steady steady_{std::chrono::hours(1)};
  FileReader::Wall wall_{std::chrono::hours(400'000)};
  std::optional<FileReader> reader_;
};

TEST_F(FileReading, ReadsAFileOnceAndAgainWhenItChanged) {
  EXPECT_EQ(look_after(0), Outcome::changed);
  EXPECT_EQ(reader_->text(), "first");
  EXPECT_EQ(look_after(1000), Outcome::same);
  write("other");
  EXPECT_EQ(look_after(1000), Outcome::changed);
  EXPECT_EQ(reader_->text(), "other");
  replace("third");
  EXPECT_EQ(look_after(1000), Outcome::changed);
  EXPECT_EQ(reader_->text(), "third");
  EXPECT_EQ(look_after(1000), Outcome::same);
}

TEST_F(FileReading, SeesAChangeThatKeepsSizeAndTime) {
  EXPECT_EQ(look_after(0), Outcome::changed);
  write("tsrif");
  set_time(path_, milliseconds(5000));
  EXPECT_EQ(look_after(0), Outcome::changed) << "the inode tells when it was changed";
  EXPECT_EQ(reader_->text(), "tsrif");
}

TEST_F(FileReading, LeavesAFileThatIsBeingWrittenUntilItIsAtRest) {
  EXPECT_EQ(look_after(0), Outcome::changed);
  write("", milliseconds(0));
  EXPECT_EQ(look_after(50), Outcome::same);
  EXPECT_TRUE(reader_->is_waiting());
  write("sec", milliseconds(0));
  EXPECT_EQ(look_after(99), Outcome::same);
  write("second", milliseconds(0));
  EXPECT_EQ(look_after(100), Outcome::changed);
  EXPECT_EQ(reader_->text(), "second");
  EXPECT_FALSE(reader_->is_waiting());
}

TEST_F(FileReading, WaitsNoLongerThanItsPatienceForRest) {
  EXPECT_EQ(look_after(0), Outcome::changed);
  write("busy 0", milliseconds(0));
  EXPECT_EQ(look_after(0), Outcome::same);
  for (int time = 1; time < 20; ++time) {
    write("busy " + std::to_string(time), milliseconds(-50));
    ASSERT_EQ(look_after(50), Outcome::same) << time;
  }
  write("busy 20", milliseconds(-50));
  EXPECT_EQ(look_after(50), Outcome::changed);
  EXPECT_EQ(reader_->text(), "busy 20");
}

TEST_F(FileReading, LooksOnceMoreAtWhatWasReadFresh) {
  write("fresh", milliseconds(0));
  EXPECT_EQ(look_after(0), Outcome::changed) << "the first time there is nothing else to go by";
  EXPECT_EQ(look_after(10), Outcome::same);
  EXPECT_TRUE(reader_->is_waiting());
  EXPECT_EQ(look_after(100), Outcome::same) << "it is what it was";
  EXPECT_FALSE(reader_->is_waiting());
  EXPECT_EQ(look_after(1000), Outcome::same);
}

TEST_F(FileReading, BridgesTheMomentInWhichAFileIsReplaced) {
  EXPECT_EQ(look_after(0), Outcome::changed);
  std::filesystem::remove(path_);
  EXPECT_EQ(look_after(0), Outcome::same);
  EXPECT_TRUE(reader_->is_waiting());
  write("first");
  EXPECT_EQ(look_after(50), Outcome::changed);
  std::filesystem::remove(path_);
  EXPECT_EQ(look_after(1000), Outcome::same) << "the moments do not add up";
}

TEST_F(FileReading, TellsOnceThatAFileIsAwayAndReadsItWhenItIsBack) {
  EXPECT_EQ(look_after(0), Outcome::changed);
  std::filesystem::remove(path_);
  EXPECT_EQ(look_after(0), Outcome::same);
  EXPECT_EQ(look_after(99), Outcome::same);
  EXPECT_EQ(look_after(1), Outcome::failed);
  EXPECT_EQ(reader_->error(), path_ + ": No such file or directory");
  EXPECT_EQ(look_after(1000), Outcome::same);
  EXPECT_FALSE(reader_->is_waiting());
  std::filesystem::create_directory(path_);
  EXPECT_EQ(look_after(1000), Outcome::failed);
  EXPECT_EQ(reader_->error(), path_ + ": is no regular file");
  std::filesystem::remove(path_);
  write("first");
  EXPECT_EQ(look_after(1000), Outcome::changed) << "also where it is what it was";
  EXPECT_EQ(reader_->error(), "");
}

TEST_F(FileReading, NeverWaitsForAPipe) {
  std::filesystem::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(look_after(0), Outcome::failed);
  EXPECT_EQ(reader_->error(), path_ + ": is no regular file");
}

TEST_F(FileReading, BoundsWhatItReads) {
  write(std::string(100, 'x'));
  EXPECT_EQ(look_after(0), Outcome::changed);
  write(std::string(101, 'x'));
  EXPECT_EQ(look_after(1000), Outcome::same);
  EXPECT_EQ(look_after(100), Outcome::failed);
  EXPECT_EQ(reader_->error(), path_ + ": is larger than 100 bytes");
}

TEST_F(FileReading, ReadsAnEmptyFile) {
  write("");
  EXPECT_EQ(look_after(0), Outcome::changed);
  EXPECT_EQ(reader_->text(), "");
  EXPECT_EQ(look_after(1000), Outcome::same);
}

TEST_F(FileReading, FollowsASymbolicLinkThatIsTurned) {
  write("first");
  std::filesystem::rename(path_, folder_ + "/one");
  std::filesystem::create_symlink("one", path_);
  EXPECT_EQ(look_after(0), Outcome::changed);
  std::filesystem::copy(folder_ + "/one", folder_ + "/two");
  set_time(folder_ + "/two", milliseconds(5000));
  std::filesystem::create_symlink("two", folder_ + "/next");
  std::filesystem::rename(folder_ + "/next", path_);
  EXPECT_EQ(look_after(1000), Outcome::changed);
}

TEST_F(FileReading, TakesATimeInTheFutureForRest) {
  EXPECT_EQ(look_after(0), Outcome::changed);
  write("later", -std::chrono::hours(24));
  EXPECT_EQ(look_after(0), Outcome::changed);
}

TEST_F(FileReading, SeesWhoMayWriteTheFile) {
  EXPECT_EQ(look_after(0), Outcome::changed);
  EXPECT_FALSE(reader_->is_anybodys());
  std::filesystem::permissions(path_, std::filesystem::perms(0666));
  EXPECT_EQ(look_after(0), Outcome::changed);
  EXPECT_TRUE(reader_->is_anybodys());
}

}  // namespace
}  // namespace trivet::sdk
