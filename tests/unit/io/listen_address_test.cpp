#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <thread>

#include "runtime/io/listener.hpp"
#include "tests/unit/io/io_test_support.hpp"

namespace trivet::io {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

ListenOptions unix_options(const std::string& path) {
  ListenOptions options;
  options.path = path;
  return options;
}

ListenOptions descriptor_options(int fd) {
  ListenOptions options;
  options.kind = ListenOptions::Kind::descriptor;
  options.fd = fd;
  return options;
}

/// Without an error: the text is empty.
std::string error_of(const ListenOptions& options) {
  const auto opened = Listener::open(options);
  return opened.ok() ? "" : opened.error().message;
}

int unix_socket_at(const std::string& path, int type) {
  const int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

mode_t mode_of(const std::string& path) {
  struct stat found{};
  EXPECT_EQ(::lstat(path.c_str(), &found), 0);
  return found.st_mode & 07777U;
}

class UnixAddress : public testing::Test {
 protected:
  TemporaryFolder folder_;
  const std::string path_ = folder_ / "host.sock";
};

TEST_F(UnixAddress, HasTheModeThatIsWantedWhateverTheUmask) {
  for (const mode_t umask : {0000U, 0022U, 0777U}) {
    for (const std::uint32_t mode : {0660U, 0600U, 0666U}) {
      const mode_t before = ::umask(umask);
      ListenOptions options = unix_options(path_);
      options.mode = mode;
      const auto listener = Listener::open(options);
      ::umask(before);
      ASSERT_TRUE(listener) << listener.error().message;
      EXPECT_EQ(mode_of(path_), mode);
    }
  }
}

TEST_F(UnixAddress, IsGivenToTheGroup) {
  gid_t wanted = ::getgid();
  if (::geteuid() == 0) wanted = 1;  // root may give it to any
  const group* entry = ::getgrgid(wanted);
  ASSERT_NE(entry, nullptr);
  ListenOptions options = unix_options(path_);
  options.group = entry->gr_name;
  const auto listener = Listener::open(options);
  ASSERT_TRUE(listener) << listener.error().message;
  struct stat found{};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_gid, wanted);
}

TEST_F(UnixAddress, WithAnUnknownGroupLeavesNoFile) {
  ListenOptions options = unix_options(path_);
  options.group = "no-such-group";
  EXPECT_THAT(error_of(options), HasSubstr("there is no group \"no-such-group\""));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(UnixAddress, LeavesNothingButTheSocketAndNothingAfterStop) {
  auto listener = Listener::open(unix_options(path_));
  ASSERT_TRUE(listener);
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_.path())) ++entries;
  EXPECT_EQ(entries, 1U);
  (*listener)->stop();
  EXPECT_EQ((*listener)->descriptor(), -1);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(UnixAddress, IsTakenOverFromAHostThatDied) {
  ::close(unix_socket_at(path_, SOCK_STREAM));
  EXPECT_EQ(error_of(unix_options(path_)), "");
}

TEST_F(UnixAddress, IsNotTakenFromAHostThatLives) {
  const auto first = Listener::open(unix_options(path_));
  ASSERT_TRUE(first);
  EXPECT_THAT(error_of(unix_options(path_)), HasSubstr("another process listens on \"" + path_ + "\""));
  EXPECT_TRUE(std::filesystem::is_socket(path_));
}

TEST_F(UnixAddress, IsNotTakenFromAHostWhoseBacklogIsFull) {
  const process::FileDescriptor busy(unix_socket_at(path_, SOCK_STREAM));
  ASSERT_EQ(::listen(busy.get(), 0), 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
  std::vector<process::FileDescriptor> clients;
  bool full = false;
  for (int i = 0; i < 10 && !full; ++i) {
    clients.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    full = ::connect(clients.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0;
  }
  ASSERT_TRUE(full);
  EXPECT_THAT(error_of(unix_options(path_)), StartsWith("another process listens"));
}

TEST_F(UnixAddress, IsNotTakenFromASocketOfAnotherKind) {
  const process::FileDescriptor datagrams(unix_socket_at(path_, SOCK_DGRAM));
  EXPECT_THAT(error_of(unix_options(path_)), StartsWith("another process listens"));
}

TEST_F(UnixAddress, RefusesWhatIsNotASocket) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(error_of(unix_options(path_)), HasSubstr("is not a socket"));
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_THAT(error_of(unix_options(path_)), HasSubstr("is not a socket"));
}

TEST_F(UnixAddress, RefusesASymbolicLinkToAnything) {
  ::close(unix_socket_at(folder_ / "elsewhere", SOCK_STREAM));
  for (const char* target : {"elsewhere", "absent"}) {
    std::filesystem::remove(path_);
    std::filesystem::create_symlink(folder_ / target, path_);
    EXPECT_THAT(error_of(unix_options(path_)), HasSubstr("is a symbolic link"));
  }
  EXPECT_TRUE(std::filesystem::is_socket(folder_ / "elsewhere"));
}

TEST_F(UnixAddress, RefusesALockThatIsASymbolicLink) {
  std::filesystem::create_symlink(folder_ / "victim", path_ + ".lock");
  EXPECT_THAT(error_of(unix_options(path_)), HasSubstr("cannot lock"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "victim"));
}

TEST_F(UnixAddress, HasAtMost107Bytes) {
  const std::size_t room = 107 - (folder_ / "").size();
  const std::string longest = folder_ / std::string(room, 's');
  EXPECT_EQ(error_of(unix_options(longest)), "");
  EXPECT_THAT(error_of(unix_options(longest + "s")), HasSubstr("at most 107 bytes, this one 108"));
}

TEST_F(UnixAddress, NamesAFolderThatIsNotThere) {
  const std::string error = error_of(unix_options(folder_ / "absent/host.sock"));
  EXPECT_THAT(error, HasSubstr(folder_ / "absent/"));
  EXPECT_THAT(error, HasSubstr("create it"));
}

TEST_F(UnixAddress, RefusesAPathWithoutAName) {
  EXPECT_NE(error_of(unix_options("")), "");
  EXPECT_NE(error_of(unix_options(folder_ / "")), "");
}

TEST_F(UnixAddress, IsLeftAloneAtStopOnceSomebodyElseHasIt) {
  auto listener = Listener::open(unix_options(path_));
  ASSERT_TRUE(listener);
  std::filesystem::remove(path_);
  const process::FileDescriptor other(unix_socket_at(path_, SOCK_STREAM));
  (*listener)->stop();
  EXPECT_TRUE(std::filesystem::is_socket(path_));
}

/// The lock of another host that is starting on the path.
process::FileDescriptor locked(const std::string& path) {
  process::FileDescriptor file(::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_EQ(::flock(file.get(), LOCK_EX | LOCK_NB), 0);
  return file;
}

TEST_F(UnixAddress, IsNotTouchedWhileAnotherHostIsStartingOnIt) {
  ::close(unix_socket_at(path_, SOCK_STREAM));
  struct stat stale{};
  ASSERT_EQ(::stat(path_.c_str(), &stale), 0);
  process::FileDescriptor first = locked(path_);
  std::atomic<bool> opened{false};
  std::thread contender([&] {
    const auto listener = Listener::open(unix_options(path_));
    EXPECT_TRUE(listener) << listener.error().message;
    opened = true;
  });
  const auto is_untouched = [&] {
    // The contender tries every 5 ms.
    for (int i = 0; i < 30 && !opened; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    struct stat now{};
    return !opened && ::stat(path_.c_str(), &now) == 0 && now.st_ino == stale.st_ino;
  };
  EXPECT_TRUE(is_untouched());
  // The first host is done and a third one begins: its lock is another file of the same name.
  std::filesystem::remove(path_ + ".lock");
  process::FileDescriptor third = locked(path_);
  first.reset();
  EXPECT_TRUE(is_untouched());
  third.reset();
  contender.join();
  EXPECT_TRUE(opened);
}

TEST_F(UnixAddress, GoesToExactlyOneOfManyThatStartAtOnce) {
  for (int round = 0; round < 25; ++round) {
    if (round % 2 == 0) ::close(unix_socket_at(path_, SOCK_STREAM));  // a stale one to be fought for
    constexpr int contenders = 8;
    std::atomic<int> ready{0};
    std::atomic<int> won{0};
    std::atomic<int> decided{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < contenders; ++i) {
      threads.emplace_back([&] {
        ++ready;
        while (ready < contenders) std::this_thread::yield();
        const auto listener = Listener::open(unix_options(path_));
        if (listener) ++won;
        ++decided;
        while (decided < contenders) std::this_thread::yield();  // the winner lives until all have lost
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(won, 1) << "round " << round;
    ASSERT_TRUE(std::filesystem::is_empty(folder_.path()));
  }
}

TEST(TcpAddress, ListensOnNumericAddresses) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    ListenOptions options;
    options.kind = ListenOptions::Kind::tcp;
    options.host = host;
    const auto listener = Listener::open(options);
    ASSERT_TRUE(listener) << listener.error().message;
    EXPECT_GT(listener.value()->port(), 0);
    ListenOptions again = options;
    again.port = listener.value()->port();
    EXPECT_THAT(error_of(again), HasSubstr("another process listens on"));
  }
}

TEST(TcpAddress, RefusesNamesAndNonsense) {
  for (const char* host : {"localhost", "", "127.1", "[::1]", "256.0.0.1", "::1%lo"}) {
    ListenOptions options;
    options.kind = ListenOptions::Kind::tcp;
    options.host = host;
    EXPECT_THAT(error_of(options), HasSubstr("not a numeric")) << host;
  }
}

class GivenDescriptor : public UnixAddress {};

TEST_F(GivenDescriptor, C2_MustListen) {
  const process::FileDescriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_THAT(error_of(descriptor_options(null.get())), HasSubstr("is not a socket"));
  const Pair pair = Pair::unix_sockets();
  EXPECT_THAT(error_of(descriptor_options(pair.host)), HasSubstr("is a connection"));
  ::close(pair.host);
  const process::FileDescriptor bound(unix_socket_at(path_, SOCK_STREAM));
  EXPECT_THAT(error_of(descriptor_options(bound.get())), HasSubstr("does not listen"));
  const process::FileDescriptor datagrams(unix_socket_at(folder_ / "d", SOCK_DGRAM));
  EXPECT_THAT(error_of(descriptor_options(datagrams.get())), HasSubstr("is not a stream socket"));
  EXPECT_THAT(error_of(descriptor_options(-1)), HasSubstr("is not open"));
  EXPECT_THAT(error_of(descriptor_options(12345)), HasSubstr("is not open"));
  EXPECT_GE(::fcntl(null.get(), F_GETFD), 0) << "a refused descriptor stays the caller's";
}

TEST_F(GivenDescriptor, IsMadeNonBlockingAndClosedOnExec) {
  const int fd = unix_socket_at(path_, SOCK_STREAM);
  ::fcntl(fd, F_SETFD, 0);
  ASSERT_EQ(::listen(fd, 5), 0);
  auto listener = Listener::open(descriptor_options(fd));
  ASSERT_TRUE(listener);
  EXPECT_EQ((*listener)->descriptor(), fd);
  EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  (*listener)->stop();
  EXPECT_TRUE(std::filesystem::is_socket(path_)) << "the file belongs to whoever made it";
}

// As a web server starts an application: the socket is descriptor 0. In a child, whose exit code is the
// answer.
TEST_F(GivenDescriptor, ThatIsStandardInputIsReplacedByTheNullDevice) {
  const auto attempt = [this] {
    const process::FileDescriptor socket(unix_socket_at(path_, SOCK_STREAM));
    if (::listen(socket.get(), 5) != 0 || ::dup2(socket.get(), 0) != 0) std::_Exit(10);
    auto listener = Listener::open(descriptor_options(0));
    if (!listener || (*listener)->descriptor() <= 2) std::_Exit(11);
    char byte = 0;
    if (::read(0, &byte, 1) != 0) std::_Exit(12);
    (*listener)->stop();
    std::_Exit(::fcntl(0, F_GETFD) == 0 ? 0 : 13);  // open, and not closed on exec
  };
  EXPECT_EXIT(attempt(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace trivet::io
