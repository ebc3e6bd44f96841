#include "runtime/source/file_root.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "tests/unit/source/tree.hpp"

namespace trivet::source {
namespace {

using What = Found::What;

std::string content_of(const Found& found) {
  std::string text(found.facts.size, '\0');
  const ssize_t got = ::pread(found.file.get(), text.data(), text.size(), 0);
  return got == static_cast<ssize_t>(text.size()) ? text : "unreadable";
}

class FileRootTest : public ::testing::Test {
 protected:
  FileRootTest() {
    files_.root = inside_.path();
    outside_.write("secret.txt", "secret");
    outside_.write("index.html", "secret");
  }

  [[nodiscard]] Found look_up(const std::string& place) const {
    return FileRoot(files_).look_up(place, Reach::anywhere());
  }
  [[nodiscard]] What what(const std::string& place) const { return look_up(place).what; }

  trivet::source::testing::Tree inside_;
  trivet::source::testing::Tree outside_;
  config::Files files_;
};

TEST_F(FileRootTest, FindsAFileAndWhatIsKnownOfIt) {
  const std::string path = inside_.write("a/b.txt", "hello");
  const timespec times[2] = {{5, 6}, {1'700'000'000, 123'456'789}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  const Found found = look_up("a/b.txt");
  ASSERT_EQ(found.what, What::file);
  EXPECT_EQ(found.facts.size, 5U);
  EXPECT_EQ(found.facts.modified, 1'700'000'000);
  EXPECT_EQ(found.facts.modified_ns, 123'456'789U);
  EXPECT_NE(found.facts.inode, 0U);
  EXPECT_EQ(content_of(found), "hello");
  EXPECT_EQ(FileRoot(files_).path_of("a/b.txt", found), path);
  EXPECT_EQ(FileRoot(files_).name_of("a/b.txt", found), "b.txt");
  EXPECT_EQ(::fcntl(found.file.get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(FileRootTest, FindsWhateverAFileCanBeNamed) {
  const std::string longest(255, 'n');
  for (const std::string name : {"with space", "\xc3\xa4\xe2\x82\xac.txt", "\xff\xfe", "a\nb", "100%", "?",
                                 "*", "a;b", "-rf", "~", "con", "..a", "a..", "a.", longest.c_str()}) {
    inside_.write(name, name);
    const Found found = look_up(name);
    ASSERT_EQ(found.what, What::file) << name;
    EXPECT_EQ(content_of(found), name);
  }
}

TEST_F(FileRootTest, FindsAnEmptyFile) {
  inside_.write("empty", "");
  const Found found = look_up("empty");
  EXPECT_EQ(found.what, What::file);
  EXPECT_EQ(found.facts.size, 0U);
}

TEST_F(FileRootTest, MissesWhatIsNotThere) {
  inside_.write("a", "");
  EXPECT_EQ(what("b"), What::missing);
  EXPECT_EQ(what("b/c"), What::missing);
  EXPECT_EQ(what("a/c"), What::missing);  // A file is no folder.
  EXPECT_EQ(what("a/"), What::missing);
  EXPECT_EQ(what("b/"), What::missing);
  EXPECT_EQ(what(std::string(256, 'n')), What::missing);
  EXPECT_EQ(what(std::string(10'000, 'n')), What::missing);
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "d/";
  EXPECT_EQ(what(deep + "f"), What::missing);
}

TEST_F(FileRootTest, TellsFolders) {
  inside_.folder("a/b");
  EXPECT_EQ(what(""), What::folder);
  EXPECT_EQ(what("a"), What::folder);
  EXPECT_EQ(what("a/b"), What::folder);
  EXPECT_EQ(what("/"), What::no_index);
  EXPECT_EQ(what("a/"), What::no_index);
}

TEST_F(FileRootTest, TakesTheFirstIndexFileThatIsThere) {
  files_.index = {"first.html", "second.html", "third.html"};
  inside_.folder("a/first.html");  // A folder is no index file.
  inside_.write("a/second.html", "2");
  inside_.write("a/third.html", "3");
  inside_.write("third.html", "root");
  const Found below = look_up("a/");
  ASSERT_EQ(below.what, What::file);
  EXPECT_EQ(content_of(below), "2");
  EXPECT_EQ(FileRoot(files_).path_of("a/", below), inside_.path() + "/a/second.html");
  EXPECT_EQ(FileRoot(files_).name_of("a/", below), "second.html");
  const Found root = look_up("/");
  ASSERT_EQ(root.what, What::file);
  EXPECT_EQ(content_of(root), "root");
  EXPECT_EQ(FileRoot(files_).path_of("/", root), inside_.path() + "/third.html");
}

TEST_F(FileRootTest, FollowsSymbolicLinksInside) {
  inside_.write("releases/2/index.html", "two");
  inside_.link("current", "releases/2");
  inside_.link("releases/2/up", "../../releases/2/index.html");
  inside_.link("releases/2/self", ".");
  EXPECT_EQ(content_of(look_up("current/index.html")), "two");
  EXPECT_EQ(content_of(look_up("current/")), "two");
  EXPECT_EQ(content_of(look_up("current/up")), "two");
  EXPECT_EQ(content_of(look_up("current/self/self/index.html")), "two");
  EXPECT_EQ(what("current"), What::folder);
}

/// Wherever it leads: what matters is that no way is taken out of the root, not what is there.
TEST_F(FileRootTest, NeverLeavesTheRootByASymbolicLink) {
  inside_.folder("a/b");
  inside_.link("absolute", outside_.path() + "/secret.txt");
  inside_.link("folder", outside_.path());
  inside_.link("up", "../" + std::filesystem::path(outside_.path()).filename().string() + "/secret.txt");
  inside_.link("a/b/up", "../../../" + std::filesystem::path(outside_.path()).filename().string());
  inside_.link("etc", "/etc/passwd");
  inside_.link("parent", "..");
  inside_.link("itself", inside_.path());
  inside_.link("chain", "absolute");
  inside_.link("root", "/");
  for (const char* place : {"absolute", "folder/secret.txt", "folder/", "folder", "up", "a/b/up/secret.txt",
                            "etc", "parent/x", "parent", "parent/", "itself/a", "chain", "root/etc/passwd"}) {
    EXPECT_EQ(what(place), What::outside) << place;
  }
  // The look that waits for nothing, now that all of it is in memory, leaves that to the other.
  inside_.write("x", "inside");
  const FileRoot root(files_);
  const auto device = root.look_up("x", Reach::anywhere()).local_device;
  if (!device) GTEST_SKIP() << "the temporary folder is on no file system of this machine";
  ASSERT_EQ(root.look_up("x", Reach::memory(*device)).what, What::file);
  for (const char* place :
       {"absolute", "folder/secret.txt", "up", "a/b/up/secret.txt", "etc", "parent", "chain"})
    EXPECT_EQ(root.look_up(place, Reach::memory(*device)).what, What::not_at_once) << place;
}

/// What FilePlace never asks for does no harm either.
TEST_F(FileRootTest, NeverLeavesTheRootByName) {
  inside_.folder("a");
  const std::string other = std::filesystem::path(outside_.path()).filename().string();
  for (const std::string& place :
       {"../" + other + "/secret.txt", "a/../../" + other + "/secret.txt", std::string(".."),
        std::string("../"), std::string("a/../.."), outside_.path() + "/secret.txt",
        std::string("/etc/passwd"), std::string("//etc/passwd")}) {
    const What seen = what(place);
    EXPECT_TRUE(seen == What::outside || seen == What::missing) << place << static_cast<int>(seen);
  }
}

TEST_F(FileRootTest, MissesLoopsOfSymbolicLinks) {
  inside_.link("loop", "loop");
  inside_.link("a", "b");
  inside_.link("b", "a");
  inside_.link("nowhere", "not-there");
  for (const char* place : {"loop", "loop/", "loop/x", "a", "b/x", "nowhere", "nowhere/"})
    EXPECT_EQ(what(place), What::missing) << place;
}

TEST_F(FileRootTest, FollowsNoMagicLinks) {
  inside_.link("fd", "/proc/self/fd/0");
  EXPECT_NE(what("fd"), What::file);
  files_.root = "/proc/self";
  EXPECT_NE(what("exe"), What::file);
  EXPECT_NE(what("root/etc/passwd"), What::file);
  EXPECT_NE(what("cwd/"), What::no_index);
}

/// Nobody writes into the FIFO and nobody answers at the socket: a look that waited would hang here.
TEST_F(FileRootTest, DoesNotWaitForWhatIsNoRegularFile) {
  ASSERT_EQ(::mkfifo((inside_.path() + "/fifo").c_str(), 0666), 0);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = inside_.path() + "/socket";
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.size());
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(what("fifo"), What::missing);
  EXPECT_EQ(what("fifo/"), What::missing);
  EXPECT_EQ(what("socket"), What::missing);
  files_.index = {"fifo", "socket"};
  EXPECT_EQ(what("/"), What::no_index);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
  ::close(socket);
}

TEST_F(FileRootTest, MissesDevices) {
  if (::mknod((inside_.path() + "/zero").c_str(), S_IFCHR | 0666, ::makedev(1, 5)) != 0)
    GTEST_SKIP() << "devices cannot be made here";
  EXPECT_EQ(what("zero"), What::missing);
  files_.root = "/dev";
  EXPECT_EQ(what("zero"), What::missing);
}

TEST_F(FileRootTest, TellsWhatTheSystemForbids) {
  const std::string path = inside_.write("file", "x");
  inside_.write("folder/file", "x");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  ASSERT_EQ(::chmod((inside_.path() + "/folder").c_str(), 0), 0);
  // Root may read everything: it is another user who looks, in a child.
  const auto look = [&] {
    if (::geteuid() == 0 && (::chmod(inside_.path().c_str(), 0755) != 0 || ::setuid(65534) != 0))
      std::_Exit(10);
    files_.index = {"file"};
    const What expected[] = {what("file"), what("folder/file"), what("folder/"), what("/")};
    for (const What each : expected) {
      if (each != What::forbidden) std::_Exit(11);
    }
    std::_Exit(0);
  };
  EXPECT_EXIT(look(), ::testing::ExitedWithCode(0), "");
  ASSERT_EQ(::chmod((inside_.path() + "/folder").c_str(), 0700), 0);
}

TEST_F(FileRootTest, IsOpenedAnewForEachLook) {
  inside_.write("1/index.html", "one");
  inside_.write("2/index.html", "two");
  inside_.link("current", "1");
  files_.root = inside_.path() + "/current";
  const FileRoot root(files_);
  EXPECT_EQ(content_of(root.look_up("index.html", Reach::anywhere())), "one");
  inside_.link("next", "2");
  std::filesystem::rename(inside_.path() + "/next", inside_.path() + "/current");
  EXPECT_EQ(content_of(root.look_up("index.html", Reach::anywhere())), "two");
}

TEST_F(FileRootTest, MayBeAway) {
  files_.root = inside_.path() + "/away";
  const FileRoot root(files_);
  EXPECT_FALSE(root.probe());
  Found found = root.look_up("x", Reach::anywhere());
  EXPECT_EQ(found.what, What::failed);
  EXPECT_TRUE(found.root_failed);
  EXPECT_EQ(found.error, ENOENT);
  inside_.write("away/x", "back");
  EXPECT_TRUE(root.probe());
  EXPECT_EQ(content_of(root.look_up("x", Reach::anywhere())), "back");
}

TEST_F(FileRootTest, MayBeOneFile) {
  files_.root = inside_.write("robots.txt", "none");
  files_.one_file = true;
  const Found found = look_up("");
  ASSERT_EQ(found.what, What::file);
  EXPECT_EQ(content_of(found), "none");
  EXPECT_EQ(FileRoot(files_).path_of("", found), inside_.path() + "/robots.txt");
  EXPECT_EQ(FileRoot(files_).name_of("", found), "robots.txt");
}

/// Who configures the one file says where it is: no client does.
TEST_F(FileRootTest, MayBeOneFileThatIsASymbolicLink) {
  inside_.link("robots.txt", outside_.path() + "/secret.txt");
  files_.root = inside_.path() + "/robots.txt";
  files_.one_file = true;
  EXPECT_EQ(content_of(look_up("")), "secret");
}

TEST_F(FileRootTest, LooksAtOnceWhereTheSystemHasItInMemory) {
  inside_.write("a/index.html", "x");
  const FileRoot root(files_);
  const Found found = root.look_up("a/", Reach::anywhere());
  if (!found.local_device) GTEST_SKIP() << "the temporary folder is on no file system of this machine";
  const Reach memory = Reach::memory(*found.local_device);
  const Found again = root.look_up("a/index.html", memory);
  ASSERT_EQ(again.what, What::file);
  EXPECT_EQ(content_of(again), "x");
  EXPECT_EQ(again.facts, found.facts);
  // What was asked for before is known not to be there.
  static_cast<void>(root.look_up("b", Reach::anywhere()));
  const What missing = root.look_up("b", memory).what;
  EXPECT_TRUE(missing == What::missing || missing == What::not_at_once);
  inside_.link("out", outside_.path());
  EXPECT_EQ(root.look_up("out/secret.txt", memory).what, What::not_at_once);  // The thread tells why not.
}

TEST_F(FileRootTest, DoesNotLookAtOnceOnAnotherFileSystem) {
  inside_.write("a", "x");
  const FileRoot root(files_);
  EXPECT_EQ(root.look_up("a", Reach::memory(0x7fff'ffff'0000'0000)).what, What::not_at_once);
}

/// Folders that move while somebody looks through them: nothing outside is ever found.
TEST_F(FileRootTest, NeverLeavesTheRootWhileFoldersMove) {
  inside_.folder("a/b/c");
  inside_.link("a/b/c/up", "../../../x");
  inside_.write("x", "inside");
  std::atomic<bool> stop{false};
  std::thread mover([&] {
    const std::string from = inside_.path() + "/a/b/c";
    const std::string to = inside_.path() + "/c";
    while (!stop) {
      ::rename(from.c_str(), to.c_str());
      ::rename(to.c_str(), from.c_str());
    }
  });
  outside_.write("x", "outside");
  const FileRoot root(files_);
  for (int i = 0; i < 2000; ++i) {
    const Found found = root.look_up("a/b/c/up", Reach::anywhere());
    if (found.what == What::file) {
      EXPECT_EQ(content_of(found), "inside");
    }
  }
  stop = true;
  mover.join();
}

}  // namespace
}  // namespace trivet::source
