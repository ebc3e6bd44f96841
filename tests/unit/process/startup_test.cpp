#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "runtime/process/signal_mask.hpp"
#include "runtime/process/standard_streams.hpp"

namespace trivet::process {
namespace {

// What changes the process runs in a child of its own, whose exit code is the answer.

bool is_null_device(int descriptor) {
  struct stat found{};
  struct stat null{};
  return ::fstat(descriptor, &found) == 0 && ::stat("/dev/null", &null) == 0 &&
         found.st_rdev == null.st_rdev && S_ISCHR(found.st_mode) &&
         (::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) == 0;
}

struct ClosedCase {
  const char* name;
  std::array<bool, 3> closed;
};

class StandardStreams : public testing::TestWithParam<ClosedCase> {};

TEST_P(StandardStreams, AreOpenedWhereClosedAndKeptWhereOpen) {
  const auto attempt = [] {
    std::array<struct stat, 3> before{};
    for (int fd = 0; fd < 3; ++fd) {
      if (GetParam().closed[static_cast<std::size_t>(fd)]) {
        ::close(fd);
      } else {
        ::fstat(fd, &before[static_cast<std::size_t>(fd)]);
      }
    }
    if (!ensure_standard_descriptors()) std::_Exit(10);
    for (int fd = 0; fd < 3; ++fd) {
      struct stat after{};
      if (::fstat(fd, &after) != 0) std::_Exit(11);
      const auto& old = before[static_cast<std::size_t>(fd)];
      if (GetParam().closed[static_cast<std::size_t>(fd)]) {
        if (!is_null_device(fd)) std::_Exit(12);
      } else if (after.st_ino != old.st_ino || after.st_dev != old.st_dev) {
        std::_Exit(13);
      }
    }
    std::_Exit(::dup(0) > 2 ? 0 : 14);  // nothing that comes later lands there
  };
  EXPECT_EXIT(attempt(), testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(Combinations, StandardStreams,
                         testing::Values(ClosedCase{"None", {false, false, false}},
                                         ClosedCase{"Input", {true, false, false}},
                                         ClosedCase{"Error", {false, false, true}},
                                         ClosedCase{"InputAndError", {true, false, true}},
                                         ClosedCase{"All", {true, true, true}}),
                         [](const auto& each) { return each.param.name; });

TEST(IgnoreSigpipe, TurnsSignalsOfWritesIntoErrors) {
  const auto attempt = [] {
    if (!ignore_sigpipe()) std::_Exit(10);
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) std::_Exit(11);
    ::close(ends[0]);
    if (::write(ends[1], "x", 1) != -1 || errno != EPIPE) std::_Exit(12);
    const rlimit nothing{0, 0};
    const int file = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
    if (file < 0 || ::setrlimit(RLIMIT_FSIZE, &nothing) != 0) std::_Exit(13);
    if (::write(file, "x", 1) != -1 || errno != EFBIG) std::_Exit(14);
    std::_Exit(0);
  };
  EXPECT_EXIT(attempt(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace trivet::process
