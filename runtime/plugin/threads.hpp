#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.hpp"

namespace trivet::plugin {

class Threads;

/// A piece of work for a plugin thread. Intrusive: submitting allocates nothing.
///
/// Lifetime  The submitter keeps it alive until run() has begun or withdraw() said true; run() may destroy it
/// or submit
///           it again. Not submitted while it waits.
class Job {
 public:
  Job() noexcept = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  /// On thread `thread` of the pool, with that thread's instance. Throws nothing.
  virtual void run(void* instance, std::uint32_t thread) = 0;

  struct Times {
    base::Duration waited{};
    base::Duration ran{};
  };

 protected:
  /// Of the run that is about to end: to be called inside run(). Zero where nobody measures. [plugin]
  [[nodiscard]] Times times() const noexcept;

 private:
  friend class Threads;
  // Its thread's while it runs.
  base::TimePoint submitted_{};
  base::TimePoint began_{};
  // All under the mutex of the Threads it was given to.
  Job* next_ = nullptr;
  Job* previous_ = nullptr;
  bool queued_ = false;
  bool unwanted_ = false;
  std::uint32_t lane_ = 0;  ///< Where it waits: 0 for any thread, else the number of its thread plus one.
  std::uint32_t runs_on_ = 0;
};

/// Who runs the work of one plugin: its threads; in a simulation, whoever decides in which order things
/// happen.
///
/// Work that begins a request goes to any free thread (submit); what follows for the same request goes to the
/// thread, and so the instance, that began it (submit_to), ahead of new requests, and is not counted by the
/// bound: it is bounded by the requests that run.
///
/// Thread    [any] for submit, submit_to, withdraw, disown, load; abandon [startup].
/// Errors    submit() says false when the queue is full.
class Workers {
 public:
  Workers() = default;
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  /// Runs nothing more, waits for what runs.
  virtual ~Workers() = default;

  [[nodiscard]] virtual bool submit(Job& job) = 0;
  virtual void submit_to(std::uint32_t thread, Job& job) = 0;
  /// True when the job was still waiting and now will not run. False: it runs or has run, and is disowned.
  [[nodiscard]] virtual bool withdraw(Job& job) = 0;
  /// Nobody waits any more for what this job does: a thread that does not come back from it is lost one day.
  virtual void disown(Job& job) = 0;

  struct Load {
    std::size_t waiting = 0;  ///< In the queue: not pinned, not running.
    std::size_t running = 0;
    std::size_t lost =
        0;  ///< Running ones that were disowned at least `patience` ago. They may still come back.
  };
  /// Without `patience` no thread is ever lost.
  [[nodiscard]] virtual Load load(base::TimePoint now, std::optional<base::Duration> patience) const = 0;
  /// Runs nothing more and waits that long for what runs; detaches threads that do not return: called once
  /// before the process exits, which must then be by _exit. True when any thread still runs.
  virtual bool abandon(std::chrono::milliseconds patience) = 0;
};

/// While it lives, threads that the calling thread gives work to are not woken one by one, but by ring(): one
/// that was given several jobs in a row is woken once, and does all of them.
///
/// Thread    The one that made it, and has no other.
/// Memory    Room for 64 that wait; where there are more, all are rung.
class Wakeups {
 public:
  Wakeups();
  ~Wakeups();  ///< Rings.
  Wakeups(const Wakeups&) = delete;
  Wakeups& operator=(const Wakeups&) = delete;

  void ring() noexcept;

 private:
  friend class Threads;
  struct Pending;
  std::vector<Pending> pending_;
};

/// The threads of one plugin, each with its instance, and one bounded queue: a slow plugin starves no other.
///
/// Thread    As Workers; what it adds [startup].
/// Memory    Jobs are linked, not copied; `queue` bounds those that wait and are not pinned.
class Threads final : public Workers {
 public:
  /// One thread per instance; all the same pointer for a shared instance. `around` is called on each thread
  /// with what the thread does, and has to call that: the place for what lasts as long as the thread does.
  /// Throws std::system_error when the system gives no more threads.
  using Around = std::function<void(const std::function<void()>& work)>;
  Threads(const std::string& name, const std::vector<void*>& instances, std::uint32_t queue,
          const Around& around = {});
  ~Threads() override;
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  [[nodiscard]] bool submit(Job& job) override;
  void submit_to(std::uint32_t thread, Job& job) override;
  [[nodiscard]] bool withdraw(Job& job) override;
  void disown(Job& job) override;
  [[nodiscard]] Load load(base::TimePoint now, std::optional<base::Duration> patience) const override;

  bool abandon(std::chrono::milliseconds patience) override;

 private:
  friend class Wakeups;
  class Bell;
  struct State;

  void wake(Bell* bell);
  static void work(State& state, std::uint32_t thread);
  void stop();

  std::shared_ptr<State> state_;  ///< Shared with the threads, which may outlive this after abandon().
};

}  // namespace trivet::plugin
