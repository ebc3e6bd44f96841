#include "runtime/plugin/trust.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "runtime/process/file_descriptor.hpp"

namespace trivet::plugin {
namespace {

/// A file in a folder in a folder, all of this process's user and fit.
class Trust : public ::testing::Test {
 protected:
  Trust() {
    std::string made = "/tmp/trivet-trust-XXXXXX";
    if (::mkdtemp(made.data()) == nullptr) throw std::runtime_error("no folder");
    top = made;
    folder = top / "plugins";
    file = folder / "x.so";
    std::filesystem::create_directory(folder);
    std::ofstream(file) << "x";
    mode(folder, 0755);
    mode(file, 0755);
  }
  void TearDown() override { std::filesystem::remove_all(top); }

  static void mode(const std::filesystem::path& path, mode_t bits) {
    ASSERT_EQ(::chmod(path.c_str(), bits), 0);
  }
  [[nodiscard]] static std::string refused(const std::filesystem::path& path, uid_t also = 0) {
    const process::FileDescriptor open(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return refuse_writers(path.string(), open.get(), also);
  }

  std::filesystem::path top, folder, file;
};

TEST_F(Trust, AFileThatOnlyItsOwnerMayWriteIsFit) { EXPECT_EQ(refused(file), ""); }

TEST_F(Trust, WhatEverybodyMayWriteIsNot) {
  mode(file, 0757);
  EXPECT_EQ(refused(file),
            "could be replaced by everybody, who may write \"" + file.string() + "\": chmod o-w it");
  mode(file, 0755);
  mode(folder, 0757);
  EXPECT_EQ(refused(file),
            "could be replaced by everybody, who may write \"" + folder.string() + "\": chmod o-w it");
  mode(folder, 01777);
  EXPECT_EQ(refused(file), "") << "in a sticky folder names belong to their owners";
  mode(file, 01757);
  EXPECT_NE(refused(file), "") << "for a file that says nothing";
}

TEST_F(Trust, WhatAGroupOfOthersMayWriteIsNot) {
  mode(file, 0775);
  if (::geteuid() == 0) {
    constexpr gid_t daemon_group = 1;
    ASSERT_EQ(::chown(file.c_str(), 0, daemon_group), 0);
    EXPECT_NE(refused(file).find("the group \"daemon\""), std::string::npos) << refused(file);
    EXPECT_EQ(refused(file, 1), "") << "the group of one who is trusted";
    ASSERT_EQ(::chown(file.c_str(), 0, 12345), 0);
    EXPECT_NE(refused(file).find("the group number 12345"), std::string::npos) << refused(file);
    ASSERT_EQ(::chown(file.c_str(), 0, 0), 0);
    EXPECT_EQ(refused(file), "") << "root's own group";
  }
}

TEST_F(Trust, AnotherOwnerIsOneWhoCouldReplaceIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give files away";
  constexpr uid_t daemon = 1;
  for (const auto& given : {file, folder, top}) {
    ASSERT_EQ(::chown(given.c_str(), daemon, 0), 0);
    EXPECT_EQ(refused(file), "could be replaced by the user \"daemon\", who owns \"" + given.string() +
                                 "\": give it to root or to the host's user (chown)");
    EXPECT_EQ(refused(file, daemon), "") << "the owner of the configuration";
    ASSERT_EQ(::chown(given.c_str(), 0, 0), 0);
  }
}

TEST_F(Trust, BehindASymbolicLinkBothWaysCount) {
  const auto other = top / "other";
  std::filesystem::create_directory(other);
  std::filesystem::create_symlink(file, other / "link.so");
  mode(other, 0755);
  EXPECT_EQ(refused(other / "link.so"), "");
  mode(other, 0777);
  EXPECT_NE(refused(other / "link.so"), "") << "the link could be replaced";
  mode(other, 0755);
  mode(folder, 0777);
  EXPECT_NE(refused(other / "link.so"), "") << "what it leads to could be replaced";
}

TEST_F(Trust, TheOwnerOfAFileIsTold) {
  EXPECT_EQ(owner_of(file.string()), ::geteuid());
  EXPECT_EQ(owner_of("/no/such/file"), 0U);
}

}  // namespace
}  // namespace trivet::plugin
