#include <unistd.h>

#include <chrono>

#include "runtime/base/version.hpp"
#include "runtime/host/assembly.hpp"
#include "runtime/host/status.hpp"
#include "runtime/host/supervisor.hpp"
#include "runtime/process/process_facts.hpp"

namespace trivet::host {
namespace {

using std::chrono::seconds;

const char* word_of(WorkerProcess::State state) noexcept {
  switch (state) {
    case WorkerProcess::State::starting:
      return "starting";
    case WorkerProcess::State::serving:
      return "serving";
    case WorkerProcess::State::leaving:
      return "retiring";
  }
  return "";
}

}  // namespace

std::string Supervisor::status(bool json) {
  const base::TimePoint now = loop_.now();
  Status status;
  status.version = base::version;
  status.pid = ::getpid();
  status.uptime = std::chrono::duration_cast<seconds>(now - started_);
  status.state = stopping_             ? "stopping"
                 : reloading_          ? "reloading"
                 : serving_ == nullptr ? "starting"
                                       : "serving";
  using Workers = process::StatisticsTotals::Workers;
  status.totals = slots_.ended();
  process::StatisticsTotals counted = counted_;
  for (const auto& team : teams_) {
    counted.add(team->generation().statistics(), names_of(team->config()), Workers::at_work);
    for (const auto& each : team->workers()) {
      const process::WorkerCounters& counters = slots_[each->slot()].counters;
      Status::Worker worker;
      worker.number = each->number();
      worker.slot = each->slot();
      worker.pid = each->pid();
      worker.generation = each->generation();
      worker.state = word_of(each->state);
      worker.uptime = std::chrono::duration_cast<seconds>(now - each->started);
      for (const process::Counter& role : counters.requests) worker.requests += process::read(role);
      process::add_to(status.totals, counters, Workers::at_work);
      worker.in_flight = process::read(counters.requests_open);
      worker.connections = process::read(counters.connections_open);
      if (const auto facts = process::look_at(static_cast<pid_t>(each->pid())))
        worker.memory = facts->resident;
      status.workers.push_back(std::move(worker));
    }
  }
  if (serving_ != nullptr) {
    status.generation = serving_->generation().number();
    fill_in(status, serving_->config(), counted);
  }
  return json ? as_json(status) : as_text(status);
}

}  // namespace trivet::host
