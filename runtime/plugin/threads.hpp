#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace trivet::plugin {

class Threads;

/// A piece of work for a plugin thread. Intrusive: submitting allocates nothing.
///
/// Lifetime  The submitter keeps it alive until run() has begun; run() may destroy it or submit it again.
class Job {
 public:
  Job() noexcept = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  /// On thread `thread` of the pool, with that thread's instance. Throws nothing.
  virtual void run(void* instance, std::uint32_t thread) = 0;

 private:
  friend class Threads;
  Job* next_ = nullptr;
  Job* previous_ = nullptr;
  bool queued_ = false;
  std::uint32_t pinned_ = 0;
};

/// The threads of one plugin, each with its instance, and one bounded queue: a slow plugin starves no other.
///
/// Work that begins a request goes to any free thread (submit); what follows for the same request goes to the
/// thread, and so the instance, that began it (submit_to), ahead of new requests, and is not counted by the bound:
/// it is bounded by the requests that run.
///
/// Thread    [any] for submit, submit_to, withdraw; the rest [startup].
/// Memory    Jobs are linked, not copied; `queue` bounds those that wait and are not pinned.
/// Errors    submit() says false when the queue is full.
class Threads {
 public:
  /// One thread per instance; all the same pointer for a shared instance.
  Threads(std::string name, std::vector<void*> instances, std::uint32_t queue);
  /// Runs nothing more, waits for what runs.
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  [[nodiscard]] bool submit(Job& job);
  void submit_to(std::uint32_t thread, Job& job);
  /// True when the job was still waiting and now will not run.
  bool withdraw(Job& job);

  [[nodiscard]] std::size_t waiting() const;  ///< For statistics: not pinned, not running.
  [[nodiscard]] std::size_t running() const;

  /// Detaches threads that do not return: called once before the process exits, which must then be by _exit.
  /// True when any thread still runs.
  bool abandon(std::chrono::milliseconds patience);
  // Private: the implementation's choice.
};

}  // namespace trivet::plugin
