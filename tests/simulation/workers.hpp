#pragma once

#include <list>
#include <vector>

#include "runtime/plugin/threads.hpp"
#include "tests/simulation/random.hpp"

namespace trivet::simulation {

/// The threads of one plugin without threads: which of them does its next piece of work, and when, is drawn.
///
/// A piece of work is one call on the thread that everything runs on. While it runs, its hook may let other
/// things happen (model::Scene::Setting::meanwhile), among them work of the other simulated threads: that is
/// what runs at the same time. Nothing can wait inside.
class SimulatedWorkers final : public plugin::Workers {
 public:
  /// `all` has this one in it as long as it lives.
  SimulatedWorkers(std::vector<SimulatedWorkers*>& all, const std::vector<void*>& instances,
                   std::uint32_t queue, plugin::Threads::Around around);
  ~SimulatedWorkers() override;
  SimulatedWorkers(const SimulatedWorkers&) = delete;
  SimulatedWorkers& operator=(const SimulatedWorkers&) = delete;

  [[nodiscard]] bool submit(plugin::Job& job) override;
  void submit_to(std::uint32_t thread, plugin::Job& job) override;
  [[nodiscard]] bool withdraw(plugin::Job& job) override;
  void disown(plugin::Job& /*job*/) override {}
  [[nodiscard]] Load load(base::TimePoint now, std::optional<base::Duration> patience) const override;
  bool abandon(std::chrono::milliseconds patience) override;

  /// One of the threads that are free does what is next for it; false when there is nothing for any of them.
  bool run_one(Random& random);
  [[nodiscard]] bool idle() const noexcept { return waiting_.empty() && running_ == 0; }

 private:
  struct Waiting {
    plugin::Job* job;
    std::uint32_t thread;  ///< Or any_thread.
  };
  struct Slot {
    void* instance;
    bool is_running = false;
  };
  static constexpr std::uint32_t any_thread = 0xffffffff;

  [[nodiscard]] std::list<Waiting>::iterator next_for(std::uint32_t thread);

  std::vector<SimulatedWorkers*>& all_;
  plugin::Threads::Around around_;
  std::vector<Slot> slots_;
  std::list<Waiting> waiting_;  ///< In the order they came.
  std::size_t bound_;
  std::size_t running_ = 0;
};

}  // namespace trivet::simulation
