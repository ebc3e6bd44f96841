#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <utility>

#include "runtime/host/team.hpp"
#include "runtime/host/wear.hpp"
#include "runtime/process/process_facts.hpp"

// What a team looks after once a second.
namespace trivet::host {

using WorkerState = WorkerProcess::State;

void Team::look_after(base::TimePoint now) {
  kill_hung(now);
  kill_late(now);
  if (state_ == State::serving) replace_worn();
}

void Team::kill_hung(base::TimePoint now) {
  for (const auto& each : workers_) {
    if (each->state == WorkerState::starting) {
      if (now - each->started < config().server.start_timeout) continue;
      each->abort(
          "it was not ready within server.start_timeout: a plugin hangs while it is loaded or created");
    } else if (each->watchdog.has_hung(process::read(slots_[each->slot()].beats), now, [&each] {
                 const auto facts = process::look_at(static_cast<pid_t>(each->pid()));
                 return facts && facts->is_stopped;
               })) {
      each->abort("its loop stood still for server.watchdog: a plugin on the loop does not return");
    }
  }
}

/// Of a team that serves; where all of them have to end it has a time for that.
void Team::kill_late(base::TimePoint now) {
  if (state_ != State::serving) return;
  for (const auto& each : workers_) {
    if (each->state == WorkerState::leaving && now - each->left >= config().server.reload_grace + kill_delay)
      each->abort("it was replaced and did not end within server.reload_grace");
  }
}

void Team::replace_worn() {
  // One at a time: the others serve meanwhile.
  for (const auto& seat : seats_) {
    if (seat->replaced != nullptr ||
        (seat->worker != nullptr && seat->worker->state == WorkerState::starting))
      return;
  }
  for (const auto& seat : seats_) {
    if (seat->worker == nullptr || seat->due.armed()) continue;
    const auto facts = process::look_at(static_cast<pid_t>(seat->worker->pid()));
    const auto memory = facts ? std::optional(facts->resident) : std::nullopt;
    const std::string why = wear_of(config().server, seat->number, slots_[seat->worker->slot()], memory);
    if (why.empty() || !free_number(*seat)) continue;
    log_.info("a worker is replaced", {{"worker", std::to_string(seat->worker->number())},
                                       {"pid", std::to_string(seat->worker->pid())},
                                       {"reason", why}});
    replace(*seat);
    return;
  }
}

void Team::replace(Seat& seat) {
  if (is_exclusive()) {
    make_room(seat);
    return;
  }
  WorkerProcess* const before = seat.worker;
  std::string failure;
  if (start_worker(seat, failure)) {
    seat.replaced = before;
  } else {
    log_.error("a worker cannot be replaced", {{"reason", failure}});
    fill_later(seat);
  }
}

}  // namespace trivet::host
