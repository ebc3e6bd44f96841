#include "runtime/process/spawner.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace trivet::process {
namespace {

// What changes the process runs in a child of its own, whose exit code is the answer.

/// A unix socket bound to a name that the kernel makes up.
int bound_socket(int type) {
  const int made = ::socket(AF_UNIX, type, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) != 0)
    return -1;  // NOLINT
  return made;
}

int listening_socket() {
  const int made = bound_socket(SOCK_STREAM);
  return ::listen(made, 5) == 0 ? made : -1;
}

int connected_socket() {
  std::array<int, 2> ends{};
  return ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0 ? ends[0] : -1;
}

struct InputCase {
  const char* name;
  int (*make)();
  bool spawned;
};

class StandardInput : public testing::TestWithParam<InputCase> {};

TEST_P(StandardInput, TellsWhetherAWebServerStartedTheProcess) {
  const auto attempt = [] {
    const int made = GetParam().make();
    if (made < 0 || ::dup2(made, STDIN_FILENO) != STDIN_FILENO) std::_Exit(10);
    std::_Exit(is_spawned() ? 1 : 0);
  };
  EXPECT_EXIT(attempt(), testing::ExitedWithCode(GetParam().spawned ? 1 : 0), "");
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, StandardInput,
    testing::Values(InputCase{"AListener", &listening_socket, true},
                    InputCase{"ASocketThatDoesNotListen", [] { return bound_socket(SOCK_STREAM); }, false},
                    InputCase{"AConnection", &connected_socket, false},
                    InputCase{"ADatagramSocket", [] { return bound_socket(SOCK_DGRAM); }, false},
                    InputCase{"AListenerOfPackets",
                              [] {
                                const int made = bound_socket(SOCK_SEQPACKET);
                                return ::listen(made, 5) == 0 ? made : -1;
                              },
                              false},
                    InputCase{"AFile", [] { return ::open("/dev/null", O_RDWR); }, false}),
    [](const auto& each) { return each.param.name; });

TEST(LeakedDescriptors, AreClosedAndTheStandardOnesStay) {
  const auto attempt = [] {
    std::array<int, 2> leaked{};
    if (::pipe(leaked.data()) != 0 || ::dup2(leaked[0], 200) != 200) std::_Exit(10);
    close_leaked_descriptors();
    for (const int each : {leaked[0], leaked[1], 200}) {
      if (::fcntl(each, F_GETFD) != -1) std::_Exit(11);
    }
    for (const int each : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      if (::fcntl(each, F_GETFD) == -1) std::_Exit(12);
    }
    std::_Exit(0);
  };
  EXPECT_EXIT(attempt(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace trivet::process
