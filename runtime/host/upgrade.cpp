#include "runtime/host/upgrade.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "runtime/host/serving.hpp"
#include "runtime/plugin/note.hpp"
#include "runtime/process/board.hpp"
#include "runtime/process/signal_mask.hpp"
#include "runtime/process/worker_start.hpp"

namespace trivet::host {
namespace {

constexpr auto patience = std::chrono::seconds(10);
constexpr int passed_descriptor = 3;
/// What it says last when it can: a program that is not this one may exit with 0 as well.
constexpr std::string_view consent = "trivet: this version can take over\n";
/// Of what a probe says.
constexpr std::size_t most_said = 64 * 1024;

/// What this process was started with.
std::vector<std::string> own_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::vector<std::string> arguments;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\0', at), all.size());
    arguments.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return arguments;
}

/// For exec, as long as the words are where they are.
std::vector<char*> as_arguments(std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (std::string& each : words) arguments.push_back(each.data());
  arguments.push_back(nullptr);
  return arguments;
}

void set_inheritable(const std::vector<int>& descriptors, bool inheritable) noexcept {
  for (const int each : descriptors) ::fcntl(each, F_SETFD, inheritable ? 0 : FD_CLOEXEC);
}

}  // namespace

std::string executable_path() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return {};
  std::string text(path.data(), static_cast<std::size_t>(size));
  constexpr std::string_view deleted = " (deleted)";
  if (text.ends_with(deleted)) text.resize(text.size() - deleted.size());
  return text;
}

// --- the probe ---

base::Result<std::unique_ptr<Probe>> Probe::start(io::EventLoop& loop, const std::string& program,
                                                  const Inheritance& inheritance, OnAnswer on_answer) {
  std::unique_ptr<Probe> probe(new Probe(loop, std::move(on_answer)));  // NOLINT: private constructor
  auto memory = in_memory(inheritance);
  if (!memory) return memory.error();
  probe->said_.reset(::memfd_create("trivet-probe", MFD_CLOEXEC));
  // Actions run in order: what is passed must not lie where something is put.
  const process::FileDescriptor passed(::fcntl(memory.value().get(), F_DUPFD_CLOEXEC, 10));
  if (!probe->said_.is_open() || !passed.is_open())
    return base::system_error("cannot try the new program", errno);
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, probe->said_.get(), STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, passed.get(), passed_descriptor);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> words = own_arguments();
  const auto command = std::find(words.begin(), words.end(), "serve");
  if (command != words.end()) *command = "probe";  // With the options of this host.
  std::vector<char*> arguments = as_arguments(words);
  const std::vector<int> kept = inheritance.descriptors();
  // It looks at what it would inherit, by the same numbers.
  set_inheritable(kept, true);
  const int error =
      ::posix_spawn(&probe->pid_, program.c_str(), &actions, &attributes, arguments.data(), environ);
  set_inheritable(kept, false);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    probe->pid_ = -1;
    return base::system_error("cannot start \"" + program + "\"", error);
  }
  probe->pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, probe->pid_, 0)));
  Probe& made = *probe;
  auto watch = io::Watch::open(loop, made.pidfd_.get(), [&made] { made.on_end(); });
  if (!watch) return watch.error();
  probe->watch_ = std::move(watch).value();
  loop.timers().arm(probe->timer_, loop.now() + patience);
  return probe;
}

Probe::~Probe() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  static_cast<void>(process::wait_for(pid_));
}

void Probe::on_late(base::TimePoint /*now*/) {
  late_ = true;
  ::kill(pid_, SIGKILL);
}

void Probe::on_end() {
  const process::End end = process::wait_for(std::exchange(pid_, -1));
  timer_.cancel();
  watch_.reset();
  std::string said(most_said, '\0');
  const ssize_t size = ::pread(said_.get(), said.data(), said.size(), 0);
  said.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  std::string why_not;
  if (end.by_signal || end.value != exit_ok || !said.ends_with(consent)) {
    why_not = said;
    if (!why_not.empty() && !why_not.ends_with('\n')) why_not += '\n';
    why_not += "trivet: the new program cannot take over: " +
               (late_ ? std::string("it did not answer within 10 s") : end.text) + "\n";
  }
  const OnAnswer answer = std::move(on_answer_);
  answer(why_not);  // It may be gone afterwards.
}

int probe(const std::string& config_file, const config::Overrides& overrides) {
  auto inheritance = read_inheritance(passed_descriptor);
  if (!inheritance) {
    std::fputs(("trivet: " + inheritance.error().message + "\n").c_str(), stderr);
    return exit_failed;
  }
  const auto board =
      process::Board::open(process::FileDescriptor(::fcntl(inheritance->board, F_DUPFD_CLOEXEC, 0)));
  if (!board) {
    std::fputs(("trivet: " + board.error().message + "\n").c_str(), stderr);
    return exit_failed;
  }
  const config::Loaded loaded = config::load_file(config_file, overrides, plugin::look_at);
  if (!loaded.diagnostics.empty()) std::fputs(config::render_all(loaded).c_str(), stderr);
  if (!loaded.config) return exit_configuration;
  std::fputs(std::string(consent).c_str(), stderr);
  return exit_ok;
}

// --- the change ---

base::Result<ProgramFile> ProgramFile::open(std::string path) {
  ProgramFile program;
  program.path_ = std::move(path);
  program.file_.reset(::open(program.path_.c_str(), O_PATH | O_CLOEXEC));
  if (!program.file_.is_open() || ::fstat(program.file_.get(), &program.about_) != 0)
    return base::system_error("cannot open \"" + program.path_ + "\"", errno);
  return program;
}

base::Result<> ProgramFile::expect_unchanged() const {
  struct stat now{};
  if (::stat(path_.c_str(), &now) != 0) return base::system_error("cannot open \"" + path_ + "\"", errno);
  const auto same = [](const timespec& one, const timespec& other) {
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
  };
  if (now.st_dev == about_.st_dev && now.st_ino == about_.st_ino && now.st_mode == about_.st_mode &&
      now.st_size == about_.st_size && same(now.st_mtim, about_.st_mtim) &&
      same(now.st_ctim, about_.st_ctim)) {
    return base::success();
  }
  return base::Error{base::ErrorCode::system_failure,
                     "\"" + path_ + "\" has changed since it was asked whether it can take over: ask again"};
}

base::Error become(int program, const Inheritance& inheritance) {
  auto memory = in_memory(inheritance);
  if (!memory) return memory.error();
  std::vector<std::string> words = own_arguments();
  std::vector<char*> arguments = as_arguments(words);
  std::vector<int> kept = inheritance.descriptors();
  kept.push_back(memory.value().get());
  // A signal in between would end a process that has no handler yet; the new image lets them come again.
  process::hold_signals();
  set_inheritable(kept, true);
  ::setenv(Inheritance::variable, std::to_string(memory.value().get()).c_str(),
           1);  // NOLINT(concurrency-mt-unsafe)
  ::syscall(SYS_execveat, program, "", arguments.data(), environ, AT_EMPTY_PATH);
  const int error = errno;
  ::unsetenv(Inheritance::variable);  // NOLINT(concurrency-mt-unsafe)
  set_inheritable(kept, false);
  process::release_signals();
  return base::system_error("the new program cannot be run", error);
}

}  // namespace trivet::host
