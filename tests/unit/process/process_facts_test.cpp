#include "runtime/process/process_facts.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <vector>

namespace trivet::process {
namespace {

TEST(ProcessFacts, TellTheMemoryThatIsHeld) {
  const auto before = look_at(::getpid());
  ASSERT_TRUE(before);
  EXPECT_FALSE(before->is_stopped);
  constexpr std::size_t more = 32U << 20U;
  const std::vector<char> held(more, 'x');
  const auto after = look_at(::getpid());
  ASSERT_TRUE(after);
  EXPECT_GT(before->resident, 0U);
  EXPECT_GE(after->resident, before->resident + more / 2) << held.back();
}

TEST(ProcessFacts, TellWhoIsStoppedWhateverItsName) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NAME, "a) R (b");
    ::raise(SIGSTOP);
    for (;;) ::pause();
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status));
  EXPECT_TRUE(look_at(child)->is_stopped);
  ::kill(child, SIGCONT);
  ASSERT_EQ(::waitpid(child, &status, WCONTINUED), child);
  EXPECT_FALSE(look_at(child)->is_stopped);
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  EXPECT_FALSE(look_at(child));
}

}  // namespace
}  // namespace trivet::process
