#include "runtime/io/unlinked_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <random>
#include <set>

#include "tests/unit/io/io_test_support.hpp"

namespace trivet::io {
namespace {

std::set<int> open_descriptors() {
  std::set<int> open;
  for (int fd = 0; fd < 256; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) open.insert(fd);
  }
  return open;
}

class UnlinkedFileTest : public testing::Test {
 protected:
  UnlinkedFileTest() : file_(make()) {}

  UnlinkedFile make() {
    const std::set<int> before = open_descriptors();
    auto made = UnlinkedFile::create(folder_.path());
    EXPECT_TRUE(made.ok());
    for (const int fd : open_descriptors()) {
      if (!before.contains(fd)) descriptor_ = fd;
    }
    return std::move(made).value();
  }
  [[nodiscard]] struct stat status() const {
    struct stat found{};
    EXPECT_EQ(::fstat(descriptor_, &found), 0);
    return found;
  }

  TemporaryFolder folder_;
  int descriptor_ = -1;
  UnlinkedFile file_;
};

TEST_F(UnlinkedFileTest, HasNoNameAndIsPrivate) {
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  EXPECT_EQ(status().st_nlink, 0U);
  EXPECT_EQ(status().st_mode & 07777U, 0600U);
  EXPECT_NE(::fcntl(descriptor_, F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(UnlinkedFileTest, GivesBytesBackInOrder) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::deque<std::uint8_t> expected;
  for (int step = 0; step < 3000; ++step) {
    std::vector<std::uint8_t> bytes(random() % 9000);
    if (random() % 2 == 0) {
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
      ASSERT_TRUE(file_.append(bytes));
      expected.insert(expected.end(), bytes.begin(), bytes.end());
    } else {
      const auto got = file_.read(bytes);
      ASSERT_TRUE(got);
      ASSERT_EQ(got.value(), std::min(bytes.size(), expected.size()));
      ASSERT_TRUE(std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(got.value()),
                             expected.begin()));
      expected.erase(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(got.value()));
    }
    ASSERT_EQ(file_.size(), expected.size());
  }
}

TEST_F(UnlinkedFileTest, GivesTheDiskBackWhenDrained) {
  std::vector<std::uint8_t> bytes(300'000, 1);
  ASSERT_TRUE(file_.append(bytes));
  EXPECT_GT(status().st_blocks, 0);
  ASSERT_TRUE(file_.read(bytes));
  EXPECT_TRUE(file_.empty());
  EXPECT_EQ(status().st_size, 0);
}

TEST_F(UnlinkedFileTest, DoesNotGrowOnDiskWhileItIsReadAsFastAsWritten) {
  std::vector<std::uint8_t> bytes(256 * 1024, 1);
  ASSERT_TRUE(file_.append(bytes));
  for (int i = 0; i < 64; ++i) {  // 16 MiB pass, and it is never empty
    ASSERT_TRUE(file_.append(bytes));
    ASSERT_TRUE(file_.read(bytes));
  }
  EXPECT_LE(status().st_blocks * 512, 2 * 1024 * 1024);
}

TEST_F(UnlinkedFileTest, ReportsAFullDiskAndKeepsWhatItHas) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  std::vector<std::uint8_t> bytes(1000, 'a');
  ASSERT_TRUE(file_.append(bytes));
  const rlimit small{1500, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::fill(bytes.begin(), bytes.end(), 'b');
  const auto full = file_.append(bytes);  // half of it is written before the limit
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, base::ErrorCode::system_failure);
  EXPECT_EQ(file_.size(), 1000U);
  std::fill(bytes.begin(), bytes.end(), 'c');
  ASSERT_TRUE(file_.append(bytes));
  std::vector<std::uint8_t> all(3000);
  ASSERT_EQ(file_.read(all).value(), 2000U);
  EXPECT_EQ(std::count(all.begin(), all.end(), 'a'), 1000);
  EXPECT_EQ(std::count(all.begin(), all.end(), 'c'), 1000);
}

TEST_F(UnlinkedFileTest, CannotBeMadeWhereThereIsNoFolder) {
  const auto made = UnlinkedFile::create(folder_ / "absent");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("absent"), std::string::npos);
}

}  // namespace
}  // namespace trivet::io
