#include "runtime/host/folders.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "runtime/log/memory_log.hpp"

namespace trivet::host {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

class Folders : public testing::Test {
 protected:
  Folders() {
    root_ = (fs::temp_directory_path() / "trivet-folders-XXXXXX").string();
    if (::mkdtemp(root_.data()) == nullptr) throw std::runtime_error("mkdtemp");
    // A folder below a file: nobody, not even root, can make it.
    std::ofstream(root_ + "/file") << "x";
    unusable_ = root_ + "/file/folder";
    fs::create_directory(root_ + "/temporary");
    ::setenv("TMPDIR", (root_ + "/temporary").c_str(), 1);
  }
  ~Folders() override {
    ::unsetenv("TMPDIR");
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  std::string root_;
  std::string unusable_;
};

TEST_F(Folders, APrivateFolderIsInTheFirstParentThatTakesItAndForItsOwnerAlone) {
  auto made = PrivateFolder::make({unusable_, root_});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(made->path(), StartsWith(root_ + "/trivet-"));
  struct stat about{};
  ASSERT_EQ(::stat(made->path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0700U);
}

TEST_F(Folders, APrivateFolderGoesWithWhatIsInIt) {
  std::string path;
  {
    auto made = PrivateFolder::make({root_});
    ASSERT_TRUE(made) << made.error().message;
    path = made->path();
    std::ofstream(path + "/copy.so") << "code";
    const PrivateFolder moved = std::move(made).value();
    EXPECT_TRUE(fs::exists(path + "/copy.so"));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(Folders, WithoutAnyParentTheErrorNamesThemAllAndTheCure) {
  const auto made = PrivateFolder::make({unusable_, root_ + "/absent"});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr(unusable_));
  EXPECT_THAT(made.error().message, HasSubstr(root_ + "/absent"));
  EXPECT_THAT(made.error().message, HasSubstr("TMPDIR"));
}

TEST_F(Folders, ASpawnedHostUsesTheConfiguredFoldersWhereItCan) {
  config::Config config;
  config.server.plugin_cache = root_;
  config.spool_dir = root_ + "/spool";
  log::MemoryLog log;
  const auto made = make_spawned_folders(config, log);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(config.server.plugin_cache, StartsWith(root_ + "/trivet-"));
  EXPECT_EQ(config.spool_dir, root_ + "/spool");
}

TEST_F(Folders, ASpawnedHostFallsBackOnTheTemporaryFolder) {
  config::Config config;
  config.server.plugin_cache = unusable_;
  config.spool_dir = unusable_;
  log::MemoryLog log;
  const auto made = make_spawned_folders(config, log);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(config.server.plugin_cache, StartsWith(root_ + "/temporary/trivet-"));
  EXPECT_EQ(config.spool_dir, root_ + "/temporary");
}

TEST_F(Folders, AHostOnItsOwnTellsEachFolderThatItCannotUse) {
  config::Config config;
  config.server.plugin_cache = unusable_;
  config.spool_dir = unusable_;
  EXPECT_EQ(make_folders(config).size(), 2U);
  config.server.plugin_cache = root_ + "/a/b";
  config.spool_dir = root_ + "/a/c";
  EXPECT_TRUE(make_folders(config).empty());
  EXPECT_TRUE(fs::is_directory(root_ + "/a/b"));
}

}  // namespace
}  // namespace trivet::host
