#pragma once

#include <algorithm>
#include <deque>

#include "runtime/base/loop.hpp"
#include "runtime/plugin/threads.hpp"

/// A loop and threads that do something when the test says so.
namespace trivet::source::testing {

class LoopByHand final : public base::Loop {
 public:
  [[nodiscard]] base::TimePoint now() const noexcept override { return now_; }
  base::TimerQueue& timers() noexcept override { return timers_; }
  void post(base::Task& task) noexcept override { posted_.push(task); }

  /// What was posted, and what that posts. False: nothing was.
  bool turn() {
    bool any = false;
    for (base::Task* task = posted_.pop(); task != nullptr; task = posted_.pop()) {
      any = true;
      task->run();
    }
    return any;
  }

 private:
  base::TimePoint now_ = base::TimePoint{} + std::chrono::hours(1);
  base::TimerQueue timers_;
  base::TaskList posted_;
};

class WorkersByHand final : public plugin::Workers {
 public:
  [[nodiscard]] bool submit(plugin::Job& job) override {
    waiting.push_back(&job);
    most = std::max(most, waiting.size());
    return true;
  }
  void submit_to(std::uint32_t /*thread*/, plugin::Job& job) override { waiting.push_back(&job); }
  [[nodiscard]] bool withdraw(plugin::Job& job) override {
    const auto found = std::find(waiting.begin(), waiting.end(), &job);
    if (found == waiting.end() || stuck) return false;
    waiting.erase(found);
    return true;
  }
  void disown(plugin::Job& /*job*/) override {}
  [[nodiscard]] Load load(base::TimePoint, std::optional<base::Duration>) const override { return {}; }
  bool abandon(std::chrono::milliseconds) override { return false; }

  /// The oldest job runs. False: there is none.
  bool run_one() {
    if (waiting.empty()) return false;
    plugin::Job* job = waiting.front();
    waiting.pop_front();
    job->run(nullptr, 0);
    return true;
  }

  std::deque<plugin::Job*> waiting;
  std::size_t most = 0;
  bool stuck = false;  ///< All of them run already: nothing can be withdrawn.
};

}  // namespace trivet::source::testing
