#include "runtime/process/worker_start.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

namespace trivet::process {
namespace {

/// The attributes and actions of one posix_spawn.
class Spawning {
 public:
  Spawning() noexcept {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~Spawning() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  Spawning(const Spawning&) = delete;
  Spawning& operator=(const Spawning&) = delete;

  void pass(int from, int to) noexcept { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }

  int run(pid_t& pid, char* const* arguments, char* const* environment) noexcept {
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return ::posix_spawn(&pid, "/proc/self/exe", &actions_, &attributes_, arguments, environment);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// What belongs to the supervisor alone: a worker that told the service manager something would be believed.
bool is_for_the_supervisor(const char* variable) noexcept {
  for (const std::string_view name : {"NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID=", "LISTEN_FDS=",
                                      "LISTEN_PID=", "LISTEN_FDNAMES="}) {
    if (std::strncmp(variable, name.data(), name.size()) == 0) return true;
  }
  return false;
}

}  // namespace

base::Result<StartedWorker> start_worker(int board) {
  auto pair = Channel::make_pair();
  if (!pair) return pair.error();
  // Actions run in order: what is passed must not lie where something is put.
  constexpr int above = 10;
  const process::FileDescriptor control(::fcntl(pair->second.descriptor(), F_DUPFD_CLOEXEC, above));
  const process::FileDescriptor shared(::fcntl(board, F_DUPFD_CLOEXEC, above));
  if (!control.is_open() || !shared.is_open()) return base::system_error("cannot start a worker", errno);
  Spawning spawning;
  spawning.pass(control.get(), control_descriptor);
  spawning.pass(shared.get(), board_descriptor);

  std::string name = "trivet";
  std::string command = "worker";
  std::array<char*, 3> arguments{name.data(), command.data(), nullptr};
  std::vector<char*> environment;
  for (char** each = environ; *each != nullptr; ++each) {
    if (!is_for_the_supervisor(*each)) environment.push_back(*each);
  }
  environment.push_back(nullptr);

  pid_t pid = -1;
  if (const int error = spawning.run(pid, arguments.data(), environment.data()); error != 0)
    return base::system_error("cannot start a worker", error);
  process::FileDescriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.is_open()) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    static_cast<void>(wait_for(pid));
    return base::system_error("cannot watch a worker", error);
  }
  ::fcntl(pidfd.get(), F_SETFD, FD_CLOEXEC);
  return StartedWorker{pid, std::move(pidfd), std::move(pair->first)};
}

End wait_for(pid_t pid) noexcept {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return {false, -1, "nobody knows how"};
  }
  End end;
  end.by_signal = WIFSIGNALED(status);
  end.value = end.by_signal ? WTERMSIG(status) : WEXITSTATUS(status);
  end.text = end.by_signal ? "signal " + std::to_string(end.value) + " (" + ::strsignal(end.value) + ")"
                           : "exit code " + std::to_string(end.value);
  return end;
}

}  // namespace trivet::process
