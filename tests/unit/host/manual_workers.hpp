#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "runtime/plugin/threads.hpp"
#include "tests/unit/host/harness.hpp"

namespace trivet::host::testing {

/// The threads of plugins without threads: what waits runs when the test says so, on the test's own.
///
/// Lifetime  Outlives the plugins whose work it keeps.
class ManualWork {
 public:
  /// For Bench::make_workers.
  [[nodiscard]] plugin::Plugin::MakeWorkers maker() {
    return [this](const std::vector<void*>& instances, std::uint32_t queue,
                  const plugin::Threads::Around& around) {
      return std::make_unique<Workers>(*this, instances.front(), queue, around);
    };
  }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
  /// The oldest that waits; false when there is none. What it posts is the loop's to run.
  bool run_one() {
    if (waiting_.empty()) return false;
    const Waiting next = waiting_.front();
    waiting_.pop_front();
    next.workers->around([&] { next.job->run(next.workers->instance, 0); });
    return true;
  }
  /// All, and what comes of them.
  void run_all(FakeLoop& loop) {
    loop.run_posted();
    while (run_one()) loop.run_posted();
  }

 private:
  struct Workers final : plugin::Workers {
    Workers(ManualWork& work, void* the_instance, std::uint32_t queue, plugin::Threads::Around the_around)
        : all(work), instance(the_instance), bound(queue), around(std::move(the_around)) {
      if (!around) around = [](const std::function<void()>& does) { does(); };
    }
    [[nodiscard]] bool submit(plugin::Job& job) override {
      std::size_t mine = 0;
      for (const Waiting& each : all.waiting_) mine += each.workers == this ? 1U : 0U;
      if (mine >= bound) return false;
      all.waiting_.push_back({this, &job});
      return true;
    }
    void submit_to(std::uint32_t /*thread*/, plugin::Job& job) override {
      all.waiting_.push_front({this, &job});
    }
    [[nodiscard]] bool withdraw(plugin::Job& job) override {
      return std::erase_if(all.waiting_, [&](const Waiting& each) { return each.job == &job; }) != 0;
    }
    void disown(plugin::Job& /*job*/) override {}
    [[nodiscard]] Load load(base::TimePoint, std::optional<base::Duration>) const override { return {}; }
    bool abandon(std::chrono::milliseconds) override { return false; }

    ManualWork& all;
    void* instance;
    std::size_t bound;
    plugin::Threads::Around around;
  };
  struct Waiting {
    Workers* workers;
    plugin::Job* job;
  };
  std::deque<Waiting> waiting_;
};

}  // namespace trivet::host::testing
