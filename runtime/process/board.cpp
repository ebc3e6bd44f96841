#include "runtime/process/board.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace trivet::process {
namespace {

struct Header {
  std::uint64_t magic = 0x6472616f62767274;  // "trvboard"
  std::uint32_t version = 3;
  std::uint32_t slot_size = sizeof(WorkerSlot);
  std::uint32_t slots = 0;
};
/// The slots begin at a line of their own.
constexpr std::size_t header_size = 64;
static_assert(sizeof(Header) <= header_size);

CrashNote* crash_note = nullptr;
pid_t noting = 0;
Whose (*whose_code)() noexcept = nullptr;
void (*last_act)() noexcept = nullptr;
constexpr std::array<int, 7> faults = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
std::array<struct sigaction, faults.size()> before;  // NOLINT: plain data, set once

/// Somebody's code ends this process in order. Async-signal-safe, as _exit() is.
void note_leaving() noexcept {
  // One made by vfork() has the same memory, and is another process.
  if (crash_note == nullptr || ::getpid() != noting) return;
  const Whose by = whose_code();
  if (!by.plugin.empty()) crash_note->write(by.plugin, by.route);
  last_act();
}

extern "C" void note_fault(int number, siginfo_t* about, void* /*context*/) {
  const int saved = errno;
  if (crash_note != nullptr) {
    const Whose whose = whose_code();
    crash_note->write(whose.plugin, whose.route);
    if (::getpid() == noting) last_act();
  }
  // Whoever was asked before is asked again: by the same instruction, or, if somebody sent it, by this.
  for (std::size_t i = 0; i < faults.size(); ++i) {
    if (faults[i] == number) ::sigaction(number, &before[i], nullptr);
  }
  if (about->si_code <= 0) ::raise(number);
  errno = saved;
}

}  // namespace

void CrashNote::copy(std::string_view from, Text& to) noexcept {
  const std::size_t size = std::min(from.size(), to.size() - 1);
  for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  to[size] = '\0';
}

std::string CrashNote::text(const Text& from) {
  return {from.begin(), std::find(from.begin(), from.end(), '\0')};
}

void CrashNote::write(std::string_view plugin, std::string_view route) noexcept {
  std::uint32_t expected = empty;
  if (!state_.compare_exchange_strong(expected, being_written)) return;
  copy(plugin, plugin_);
  copy(route, route_);
  state_.store(written);
}

base::Result<Board> Board::make(std::uint32_t slots) {
  Board board;
  board.memory_.reset(::memfd_create("trivet-board", MFD_CLOEXEC));
  const std::size_t size = header_size + slots * sizeof(WorkerSlot);
  if (!board.memory_.is_open() || ::ftruncate(board.memory_.get(), static_cast<off_t>(size)) != 0)
    return base::system_error("cannot make the memory that workers count in", errno);
  if (auto mapped = board.map(size); !mapped) return mapped.error();
  Header header;
  header.slots = slots;
  new (board.mapped_) Header(header);
  board.count_ = slots;
  return board;
}

base::Result<Board> Board::open(process::FileDescriptor memory) {
  Board board;
  board.memory_ = std::move(memory);
  struct stat about{};
  if (::fstat(board.memory_.get(), &about) != 0)
    return base::system_error("no memory to count in was passed", errno);
  const auto size = static_cast<std::size_t>(about.st_size);
  const base::Error other{base::ErrorCode::system_failure, "the memory to count in has another layout"};
  if (size < header_size) return other;
  if (auto mapped = board.map(size); !mapped) return mapped.error();
  const Header header = *static_cast<const Header*>(board.mapped_);
  const Header wanted;
  if (header.magic != wanted.magic || header.version != wanted.version ||
      header.slot_size != wanted.slot_size || header.slots > (size - header_size) / sizeof(WorkerSlot)) {
    return other;
  }
  board.count_ = header.slots;
  return board;
}

base::Result<> Board::map(std::size_t size) {
  void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0);
  if (at == MAP_FAILED) return base::system_error("cannot map the memory that workers count in", errno);
  mapped_ = at;
  size_ = size;
  slots_ = reinterpret_cast<WorkerSlot*>(static_cast<std::byte*>(at) + header_size);  // NOLINT: fixed layout
  return base::success();
}

Board::Board(Board&& other) noexcept
    : memory_(std::move(other.memory_)),
      mapped_(std::exchange(other.mapped_, nullptr)),
      size_(other.size_),
      slots_(other.slots_),
      count_(other.count_) {}

Board::~Board() {
  if (mapped_ != nullptr) ::munmap(mapped_, size_);
}

void note_crashes(CrashNote& note, Whose (*whose)() noexcept, void (*last)() noexcept) noexcept {
  crash_note = &note;
  noting = ::getpid();
  whose_code = whose;
  last_act = last;
  struct sigaction action{};
  action.sa_sigaction = &note_fault;
  action.sa_flags = SA_ONSTACK | SA_SIGINFO;
  ::sigfillset(&action.sa_mask);
  for (std::size_t i = 0; i < faults.size(); ++i) ::sigaction(faults[i], &action, &before[i]);
  std::atexit([] { note_leaving(); });
  std::at_quick_exit([] { note_leaving(); });
  // A child made by fork() is another process: how that ends is not this one's end.
  ::pthread_atfork(nullptr, nullptr, [] { crash_note = nullptr; });
}

FaultStack::FaultStack() noexcept {
  // A sanitizer has one for each thread already, and frees it itself.
  stack_t current{};
  if (::sigaltstack(nullptr, &current) != 0 || (current.ss_flags & SS_DISABLE) == 0) return;
  const std::size_t size = std::max<std::size_t>(static_cast<std::size_t>(SIGSTKSZ), 32768);
  void* const memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t stack{};
  stack.ss_sp = memory;
  stack.ss_size = size;
  if (::sigaltstack(&stack, nullptr) == 0) {
    memory_ = memory;
  } else {
    ::munmap(memory, size);
  }
}

FaultStack::~FaultStack() {
  if (memory_ == nullptr) return;
  stack_t current{};
  ::sigaltstack(nullptr, &current);
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
  ::munmap(memory_, current.ss_size);
}

}  // namespace trivet::process

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // They have their own.

// No handler sees _exit(). A symbol of the program comes before the C library's for every library that is
// loaded, so what plugins call is this. Only a system call of their own goes past it.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): names of the C library
[[noreturn]] __attribute__((visibility("default"))) void _exit(int status) {
  trivet::process::note_leaving();
  for (;;) ::syscall(SYS_exit_group, status);
}
[[noreturn]] __attribute__((visibility("default"))) void _Exit(int status) noexcept { ::_exit(status); }
// NOLINTEND(bugprone-reserved-identifier)
}

#endif
