#include "runtime/process/leash.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "runtime/process/channel.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::process {
namespace {

constexpr auto patience = std::chrono::milliseconds(100);
constexpr int soon = 30'000;

/// A process whose parent has a child on a leash that never ends by itself, and both ends of a pipe that only
/// the child holds open.
class Leashes : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    reader_.reset(ends[0]);
    FileDescriptor writer(ends[1]);
    parent_ = ::fork();
    if (parent_ == 0) hold(writer.get());
    writer.reset();
    // The child says that it is there.
    char byte = 0;
    ASSERT_EQ(::read(reader_.get(), &byte, 1), 1);
  }
  void TearDown() override {
    ::kill(parent_, SIGKILL);
    ::waitpid(parent_, nullptr, 0);
  }
  void end_parent() {
    ::kill(parent_, SIGKILL);
    ::waitpid(parent_, nullptr, 0);
  }
  /// What the child says before it ends; nothing within that time: it lives.
  std::string said(int milliseconds) {
    pollfd waiting{reader_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, milliseconds) == 0) return "nothing";
    std::array<char, 16> bytes{};
    const ssize_t size = ::read(reader_.get(), bytes.data(), bytes.size());
    return {bytes.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
  }

 private:
  [[noreturn]] static void hold(int writer) {
    auto pair = Channel::make_pair();  // By the parent, as a supervisor does.
    if (::fork() == 0) {
      sigset_t all;
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
      const auto leash = Leash::start(pair->second.maker(), patience,
                                      [writer] { static_cast<void>(!::write(writer, "killed", 6)); });
      static_cast<void>(!::write(writer, "!", 1));
      for (volatile bool on = true; on;) ::pause();
    }
    ::close(writer);
    for (;;) ::pause();
  }

  FileDescriptor reader_;
  pid_t parent_ = -1;
};

TEST_F(Leashes, HoldNobodyWhoseParentLives) { EXPECT_EQ(said(1500), "nothing"); }

TEST_F(Leashes, EndWhoNeverComesBackAfterHisParentHasEnded) {
  end_parent();
  EXPECT_EQ(said(soon), "killed");
  EXPECT_EQ(said(soon), "");  // The end of the pipe: nobody holds it.
}

TEST(Leash, EndsOneWhoseParentHadEndedBefore) {
  EXPECT_EXIT(
      {
        const auto leash = Leash::start(::getppid() + 1, patience, nullptr);
        for (volatile bool on = true; on;) ::pause();
      },
      testing::KilledBySignal(SIGKILL), "");
}

TEST(Leash, EndsOneWhoseLastWordsHang) {
  EXPECT_EXIT(
      {
        const auto leash = Leash::start(::getppid() + 1, patience, [] { ::pause(); });
        for (volatile bool on = true; on;) ::pause();
      },
      testing::KilledBySignal(SIGKILL), "");
}

TEST(Leash, IsNoneWhereNobodyKnowsTheParent) {
  EXPECT_EXIT(
      {
        const auto leash = Leash::start(0, std::chrono::milliseconds(1), nullptr);
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        ::_exit(leash ? 7 : 1);
      },
      testing::ExitedWithCode(7), "");
}

TEST(Leash, SaysNothingOnceItIsGone) {
  EXPECT_EXIT(
      {
        {
          const auto leash = Leash::start(::getppid() + 1, patience, [] { std::abort(); });
        }
        for (volatile bool on = true; on;) ::pause();
      },
      testing::KilledBySignal(SIGKILL), "");
}

}  // namespace
}  // namespace trivet::process
