#include "runtime/plugin/threads.hpp"

#include <pthread.h>
#include <semaphore.h>

#include <cassert>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>

namespace trivet::plugin {

namespace {

/// Signals are for the loop's thread; but those that a fault raises have to reach the thread that made it, or
/// the kernel ends the process without a report.
sigset_t all_but_faults() noexcept {
  sigset_t set;
  sigfillset(&set);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) sigdelset(&set, fault);
  return set;
}

// Of this thread; null: it wakes at once.
thread_local Wakeups* gathering = nullptr;

}  // namespace

Job::Times Job::times() const noexcept {
  if (began_ == base::TimePoint{}) return {};
  return {began_ - submitted_, base::Clock::now() - began_};
}

/// One thread sleeps on it, until it is posted once. A condition variable does more, and costs a third system
/// call.
class Threads::Bell {
 public:
  Bell() noexcept { ::sem_init(&semaphore_, 0, 0); }
  ~Bell() { ::sem_destroy(&semaphore_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  void ring() noexcept { ::sem_post(&semaphore_); }
  void wait() noexcept {
    while (::sem_wait(&semaphore_) != 0 && errno == EINTR) {
    }
  }

 private:
  sem_t semaphore_{};
};

struct Wakeups::Pending {
  std::shared_ptr<Threads::State> of;  ///< Keeps the bell, should its Threads go meanwhile.
  Threads::Bell* bell;
};

struct Threads::State {
  /// Jobs in the order they came; each can leave from the middle.
  struct Lane {
    Job* first = nullptr;
    Job* last = nullptr;
    std::size_t count = 0;

    void push(Job& job, std::uint32_t number) noexcept {
      assert(!job.queued_);
      job.queued_ = true;
      job.lane_ = number;
      job.next_ = nullptr;
      job.previous_ = last;
      (last == nullptr ? first : last->next_) = &job;
      last = &job;
      ++count;
    }
    void remove(Job& job) noexcept {
      (job.previous_ == nullptr ? first : job.previous_->next_) = job.next_;
      (job.next_ == nullptr ? last : job.next_->previous_) = job.previous_;
      job.queued_ = false;
      job.next_ = nullptr;
      job.previous_ = nullptr;
      --count;
    }
    Job* pop() noexcept {
      Job* job = first;
      if (job != nullptr) remove(*job);
      return job;
    }
  };

  struct Slot {
    void* instance = nullptr;
    Bell bell;          ///< Rung when it is not idle any more, and to stop.
    Lane own;           ///< What is pinned here, and what was handed to this thread when it was idle.
    bool idle = false;  ///< On the stack of idle threads.
    std::uint32_t idle_below = 0;
    std::uint32_t idle_above = 0;
    bool ended = false;
    Job* job = nullptr;                ///< What runs. Not to be looked into: it may be gone.
    base::TimePoint unwanted_since{};  ///< Nobody waits for it since then; unset: somebody does.
    std::thread thread;
  };

  static constexpr std::uint32_t none = 0xffffffff;

  explicit State(std::size_t threads) : slots(threads) {}

  Lane& lane(std::uint32_t number) noexcept { return number == 0 ? shared : slots[number - 1].own; }

  /// The idle threads are a stack: the one that worked last has the warmest caches.
  void push_idle(std::uint32_t thread) noexcept {
    Slot& slot = slots[thread];
    slot.idle = true;
    slot.idle_above = none;
    slot.idle_below = top_idle;
    if (top_idle != none) slots[top_idle].idle_above = thread;
    top_idle = thread;
  }
  void leave_idle(std::uint32_t thread) noexcept {
    Slot& slot = slots[thread];
    if (!slot.idle) return;
    slot.idle = false;
    if (slot.idle_above != none) slots[slot.idle_above].idle_below = slot.idle_below;
    if (slot.idle_below != none) slots[slot.idle_below].idle_above = slot.idle_above;
    if (top_idle == thread) top_idle = slot.idle_below;
  }
  /// Whom the caller has to wake, when it has let go of the mutex: who wakes wants it at once. Else null.
  [[nodiscard]] Bell* give(std::uint32_t thread, Job& job) noexcept {
    Slot& slot = slots[thread];
    slot.own.push(job, thread + 1);
    if (!slot.idle) return nullptr;
    leave_idle(thread);
    return &slot.bell;
  }

  void disown(Job& job) noexcept {
    job.unwanted_ = true;
    Slot& slot = slots[job.runs_on_];
    if (slot.job == &job && slot.unwanted_since == base::TimePoint{})
      slot.unwanted_since = base::Clock::now();
  }

  std::mutex mutex;
  std::vector<Slot> slots;
  Lane shared;  ///< For any thread.
  std::uint32_t top_idle = none;
  std::uint32_t bound = 0;
  std::size_t busy = 0;
  bool stopping = false;
  std::condition_variable ended;  ///< Some thread has.
};

Threads::Threads(const std::string& name, const std::vector<void*>& instances, std::uint32_t queue,
                 const Around& around)
    : state_(std::make_shared<State>(instances.size())) {
  state_->bound = queue;
  for (std::uint32_t number = 0; number < instances.size(); ++number) {
    state_->slots[number].instance = instances[number];
    state_->push_idle(number);  // Idle before it runs: work can be handed to it from now on.
  }

  // Threads inherit the mask: so there is no moment in which one of them could take a signal.
  const sigset_t blocked = all_but_faults();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  try {
    for (std::uint32_t number = 0; number < instances.size(); ++number) {
      std::thread thread([state = state_, around, number] {
        const auto loop = [&state, number]() noexcept { work(*state, number); };
        if (around) {
          around(loop);
        } else {
          loop();
        }
        const std::lock_guard lock(state->mutex);
        state->slots[number].ended = true;
        state->ended.notify_all();
      });
      const std::string suffix = "/" + std::to_string(number);  // The kernel takes 15 characters.
      pthread_setname_np(thread.native_handle(), (name.substr(0, 15 - suffix.size()) + suffix).c_str());
      const std::lock_guard lock(state_->mutex);
      state_->slots[number].thread = std::move(thread);
    }
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    stop();
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Threads::~Threads() { stop(); }

Wakeups::Wakeups() {
  constexpr std::size_t most = 64;
  assert(gathering == nullptr);
  pending_.reserve(most);
  gathering = this;
}

Wakeups::~Wakeups() {
  ring();
  gathering = nullptr;
}

void Wakeups::ring() noexcept {
  for (const Pending& each : pending_) each.bell->ring();
  pending_.clear();
}

/// `bell` may be null.
void Threads::wake(Bell* bell) {
  if (bell == nullptr) return;
  if (gathering == nullptr) {
    bell->ring();
    return;
  }
  if (gathering->pending_.size() == gathering->pending_.capacity()) gathering->ring();
  gathering->pending_.push_back({state_, bell});
}

bool Threads::submit(Job& job) {
  job.submitted_ = base::Clock::now();
  Bell* bell = nullptr;
  {
    const std::lock_guard lock(state_->mutex);
    job.unwanted_ = false;
    if (state_->top_idle != State::none) {
      bell = state_->give(state_->top_idle, job);
    } else {
      if (state_->shared.count >= state_->bound) return false;
      state_->shared.push(job, 0);
    }
  }
  wake(bell);
  return true;
}

void Threads::submit_to(std::uint32_t thread, Job& job) {
  job.submitted_ = base::Clock::now();
  Bell* bell = nullptr;
  {
    const std::lock_guard lock(state_->mutex);
    job.unwanted_ = false;
    bell = state_->give(thread, job);
  }
  wake(bell);
}

bool Threads::withdraw(Job& job) {
  const std::lock_guard lock(state_->mutex);
  if (!job.queued_) {
    state_->disown(job);
    return false;
  }
  state_->lane(job.lane_).remove(job);
  return true;
}

void Threads::disown(Job& job) {
  const std::lock_guard lock(state_->mutex);
  state_->disown(job);
}

Workers::Load Threads::load(base::TimePoint now, std::optional<base::Duration> patience) const {
  const std::lock_guard lock(state_->mutex);
  Load load{state_->shared.count, state_->busy, 0};
  for (const State::Slot& slot : state_->slots) {
    if (patience && slot.unwanted_since != base::TimePoint{} && now - slot.unwanted_since >= *patience)
      ++load.lost;
  }
  return load;
}

bool Threads::abandon(std::chrono::milliseconds patience) {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  for (State::Slot& slot : state_->slots) slot.bell.ring();
  const auto all_ended = [this] {
    for (const State::Slot& slot : state_->slots) {
      if (!slot.ended && slot.thread.joinable()) return false;
    }
    return true;
  };
  const bool ended = state_->ended.wait_for(lock, patience, all_ended);
  for (State::Slot& slot : state_->slots) {
    if (!slot.thread.joinable()) continue;
    slot.ended ? slot.thread.join() : slot.thread.detach();  // One that has ended needs the mutex no more.
  }
  return !ended;
}

void Threads::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    for (State::Slot& slot : state_->slots) slot.bell.ring();
  }
  for (State::Slot& slot : state_->slots) {
    if (slot.thread.joinable()) slot.thread.join();
  }
}

void Threads::work(State& state, std::uint32_t thread) {
  State::Slot& slot = state.slots[thread];
  std::unique_lock lock(state.mutex);
  for (;;) {
    if (state.stopping) return;
    Job* job = slot.idle ? nullptr : slot.own.pop();  // First what was begun here.
    if (job == nullptr && !slot.idle) job = state.shared.pop();
    if (job == nullptr) {
      if (!slot.idle) state.push_idle(thread);
      lock.unlock();
      slot.bell.wait();
      lock.lock();
      continue;
    }
    ++state.busy;
    slot.job = job;
    job->runs_on_ = thread;
    if (job->unwanted_) slot.unwanted_since = base::Clock::now();
    lock.unlock();
    job->began_ = base::Clock::now();
    job->run(slot.instance, thread);  // It may be gone afterwards.
    lock.lock();
    --state.busy;
    slot.job = nullptr;
    slot.unwanted_since = {};
  }
}

}  // namespace trivet::plugin
