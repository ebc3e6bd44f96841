#include "runtime/process/board.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

namespace trivet::process {
namespace {

TEST(Boards, ShowOneProcessWhatAnotherCounted) {
  auto board = Board::make(3);
  ASSERT_TRUE(board.ok());
  const pid_t child = ::fork();
  if (child == 0) {
    auto same = Board::open(process::FileDescriptor(::dup(board->descriptor())));
    if (!same.ok() || same->slots() != 3) ::_exit(1);
    add(same->slot(2).counters.requests[0], 5);
    same->slot(2).crash.write("plugin", "route");
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(read(board->slot(2).counters.requests[0]), 5U);
  EXPECT_EQ(read(board->slot(1).counters.requests[0]), 0U);
  EXPECT_TRUE(board->slot(2).crash.is_written());
  EXPECT_EQ(board->slot(2).crash.plugin(), "plugin");
  EXPECT_EQ(board->slot(2).crash.route(), "route");
  EXPECT_FALSE(board->slot(0).crash.is_written());
}

TEST(Boards, AreRefusedWhenTheyAreSomethingElse) {
  for (const std::string& content : {std::string(), std::string(10, 'x'), std::string(4096, 'x')}) {
    process::FileDescriptor memory(::memfd_create("test", MFD_CLOEXEC));
    ASSERT_EQ(::write(memory.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
    EXPECT_FALSE(Board::open(std::move(memory)).ok()) << content.size();
  }
  EXPECT_FALSE(Board::open(process::FileDescriptor()).ok());
}

TEST(CrashNotes, KeepTheFirstAndCutWhatIsTooLong) {
  CrashNote note;
  note.write(std::string(500, 'p'), "");
  note.write("second", "second");
  EXPECT_EQ(note.plugin(), std::string(91, 'p'));
  EXPECT_EQ(note.route(), "");
  note.clear();
  EXPECT_FALSE(note.is_written());
  note.write("third", "x");
  EXPECT_EQ(note.plugin(), "third");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // They take faults for themselves.

bool is_over = false;  ///< Nobody's code runs any more.
Counter* saved = nullptr;

/// What a child that runs `end` leaves in its note, and the signal that ended it.
std::pair<std::string, int> left_by(void (*end)()) {
  auto board = Board::make(2);
  saved = &board->slot(1).beats;
  const pid_t child = ::fork();
  if (child == 0) {
    note_crashes(
        board->slot(0).crash,
        []() noexcept -> Whose {
          if (is_over) return {};
          return {"somebody", "somewhere"};
        },
        []() noexcept { add(*saved); });
    const FaultStack stack;
    end();
    is_over = true;
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_NE(read(*saved), 0U) << "nothing was saved";
  const CrashNote& note = board->slot(0).crash;
  return {note.is_written() ? note.plugin() + " " + note.route() : "",
          WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status)};
}

volatile int* volatile nowhere = nullptr;
std::size_t deeper(std::size_t depth) {
  volatile char some[65536] = {};  // NOLINT(*-avoid-c-arrays)
  some[depth % sizeof some] = 1;
  return depth > 1'000'000 ? depth : deeper(depth + 1) + static_cast<std::size_t>(some[depth % sizeof some]);
}

TEST(CrashNotes, AreWrittenByEveryFaultWhichThenTakesItsCourse) {
  const std::string whose = "somebody somewhere";
  EXPECT_EQ(left_by([] { *nowhere = 1; }), std::pair(whose, SIGSEGV));
  EXPECT_EQ(left_by([] { ::raise(SIGSEGV); }), std::pair(whose, SIGSEGV));
  EXPECT_EQ(left_by([] { std::abort(); }), std::pair(whose, SIGABRT));
  EXPECT_EQ(left_by([] { ::raise(SIGFPE); }), std::pair(whose, SIGFPE));
  EXPECT_EQ(left_by([] { static_cast<void>(deeper(1)); }), std::pair(whose, SIGSEGV));
  EXPECT_EQ(left_by([] {
              std::thread([] {
                const FaultStack stack;
                static_cast<void>(deeper(1));
              }).join();
            }),
            std::pair(whose, SIGSEGV));
  EXPECT_EQ(left_by([] {}), std::pair(std::string(), 0));
}

TEST(CrashNotes, AreWrittenByEveryWayOutThatSomebodysCodeTakes) {
  const std::string whose = "somebody somewhere";
  EXPECT_EQ(left_by([] { std::exit(3); }), std::pair(whose, -3));
  EXPECT_EQ(left_by([] { std::quick_exit(4); }), std::pair(whose, -4));
  EXPECT_EQ(left_by([] { ::_exit(5); }), std::pair(whose, -5));
  EXPECT_EQ(left_by([] { std::_Exit(6); }), std::pair(whose, -6));
  EXPECT_EQ(left_by([] { std::thread([] { ::_exit(7); }).join(); }), std::pair(whose, -7));
}

TEST(CrashNotes, AreNotWrittenByAChild) {
  constexpr void (*children[])() = {
      [] {
        const pid_t child = ::fork();
        if (child == 0) std::abort();
        ::waitpid(child, nullptr, 0);
      },
      [] {
        const pid_t child = ::fork();
        if (child == 0) ::_exit(1);
        ::waitpid(child, nullptr, 0);
      },
      [] {
        const pid_t child = ::vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
        if (child == 0) ::_exit(127);   // As where exec fails.
        ::waitpid(child, nullptr, 0);
      },
      [] {
        const pid_t child = ::fork();
        if (child == 0) std::quick_exit(1);
        ::waitpid(child, nullptr, 0);
      },
  };
  for (void (*const child)() : children) EXPECT_EQ(left_by(child), std::pair(std::string(), 0));
}

#endif

}  // namespace
}  // namespace trivet::process
