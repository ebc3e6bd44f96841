#include "runtime/process/leash.hpp"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace trivet::process {
namespace {

constexpr auto interval = std::chrono::seconds(1);
constexpr auto for_words = std::chrono::seconds(1);

}  // namespace

struct Leash::State {
  std::mutex mutex;
  std::function<void()> last_words;
  std::promise<void> said;

  void speak() {
    const std::lock_guard lock(mutex);
    if (last_words) last_words();
    said.set_value();
  }

  /// Waits for the words no longer than `for_words`: what hangs may be what they are written to.
  static void wait_and_kill(const std::shared_ptr<State>& state, pid_t parent,
                            std::chrono::milliseconds patience) {
    while (::getppid() == parent) std::this_thread::sleep_for(interval);
    std::this_thread::sleep_for(patience);
    try {
      std::thread([state] { state->speak(); }).detach();
      (void)state->said.get_future().wait_for(for_words);
    } catch (const std::system_error&) {  // No thread to speak on.
    }
    ::kill(::getpid(), SIGKILL);
  }
};

Leash::Leash(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}

base::Result<Leash> Leash::start(pid_t parent, std::chrono::milliseconds patience,
                                 std::function<void()> last_words) {
  if (parent <= 0) return Leash(nullptr);
  auto state = std::make_shared<State>();
  state->last_words = std::move(last_words);
  // Threads inherit the mask: signals are for others.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  base::Result<> begun = base::success();
  try {
    std::thread thread([state, parent, patience] { State::wait_and_kill(state, parent, patience); });
    ::pthread_setname_np(thread.native_handle(), "trivet/leash");
    thread.detach();
  } catch (const std::system_error& error) {
    begun = base::system_error("cannot start a thread", error.code().value());
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!begun) return begun.error();
  return Leash(std::move(state));
}

Leash::~Leash() {
  if (state_ == nullptr) return;
  const std::lock_guard lock(state_->mutex);
  state_->last_words = nullptr;
}

}  // namespace trivet::process
