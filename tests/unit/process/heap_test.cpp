#include "runtime/process/heap.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

namespace trivet::process {
namespace {

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // Those have a heap of their own.

long faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

TEST(Heap, GivesFreedMemoryToTheNextRequestWithoutAskingTheKernel) {
  const pid_t child = ::fork();  // The setting is for a whole process.
  if (child == 0) {
    keep_freed_memory();
    const auto one_request = [] {
      const std::vector<char> head(60000, 'h');
      const std::vector<char> body(500000, 'b');
      return head.back() + body.back();
    };
    int sum = one_request();
    const long before = faults();
    for (int i = 0; i < 100; ++i) sum += one_request();
    const long after = faults();
    ::_exit(sum != 0 && after - before < 100 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

#endif

}  // namespace
}  // namespace trivet::process
