#include "tests/simulation/workers.hpp"

#include <algorithm>
#include <utility>

namespace trivet::simulation {

SimulatedWorkers::SimulatedWorkers(std::vector<SimulatedWorkers*>& all, const std::vector<void*>& instances,
                                   std::uint32_t queue, plugin::Threads::Around around)
    : all_(all), around_(std::move(around)), bound_(queue) {
  for (void* instance : instances) slots_.push_back({instance});
  all_.push_back(this);
}

SimulatedWorkers::~SimulatedWorkers() { std::erase(all_, this); }

/// As threads do it: whoever is free takes it at once, else it waits, within the bound.
bool SimulatedWorkers::submit(plugin::Job& job) {
  const auto unpinned = static_cast<std::size_t>(std::count_if(
      waiting_.begin(), waiting_.end(), [](const Waiting& each) { return each.thread == any_thread; }));
  if (unpinned >= bound_ + slots_.size() - running_) return false;
  waiting_.push_back({&job, any_thread});
  return true;
}

void SimulatedWorkers::submit_to(std::uint32_t thread, plugin::Job& job) {
  waiting_.push_back({&job, thread});
}

bool SimulatedWorkers::withdraw(plugin::Job& job) {
  return std::erase_if(waiting_, [&](const Waiting& each) { return each.job == &job; }) != 0;
}

plugin::Workers::Load SimulatedWorkers::load(base::TimePoint /*now*/,
                                             std::optional<base::Duration> /*patience*/) const {
  return {waiting_.size(), running_, 0};
}

bool SimulatedWorkers::abandon(std::chrono::milliseconds /*patience*/) {
  waiting_.clear();
  return running_ != 0;
}

std::list<SimulatedWorkers::Waiting>::iterator SimulatedWorkers::next_for(std::uint32_t thread) {
  const auto first_of = [this](std::uint32_t whose) {
    return std::find_if(waiting_.begin(), waiting_.end(),
                        [whose](const Waiting& each) { return each.thread == whose; });
  };
  const auto own = first_of(thread);
  return own != waiting_.end() ? own : first_of(any_thread);
}

bool SimulatedWorkers::run_one(Random& random) {
  const std::size_t first = random.below(slots_.size());
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const auto thread = static_cast<std::uint32_t>((first + i) % slots_.size());
    Slot& slot = slots_[thread];
    if (slot.is_running) continue;
    const auto next = next_for(thread);
    if (next == waiting_.end()) continue;
    plugin::Job* const job = next->job;
    waiting_.erase(next);
    slot.is_running = true;
    ++running_;
    around_([&] { job->run(slot.instance, thread); });  // It may be gone afterwards.
    --running_;
    slot.is_running = false;
    return true;
  }
  return false;
}

}  // namespace trivet::simulation
