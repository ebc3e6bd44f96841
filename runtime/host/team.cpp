#include "runtime/host/team.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

namespace trivet::host {
namespace {

using WorkerState = WorkerProcess::State;

constexpr auto shortest_life = std::chrono::seconds(1);
constexpr auto first_delay = std::chrono::milliseconds(100);
constexpr auto longest_delay = std::chrono::milliseconds(10'000);
std::string without_newline(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

Team::Team(Events& events, const Surroundings& around, std::unique_ptr<Generation> generation,
           std::vector<OpenSocket> sockets)
    : events_(events),
      loop_(around.loop),
      log_(around.log),
      slots_(around.slots),
      exchange_(around.exchange),
      generation_(std::move(generation)),
      sockets_(std::move(sockets)) {
  for (std::uint32_t number = 0; number < config().server.processes; ++number)
    seats_.push_back(std::make_unique<Seat>(*this, number));
}

Team::~Team() = default;

// --- one worker ---

std::optional<std::uint32_t> Team::free_number(const Seat& seat) const noexcept {
  for (const std::uint32_t number : {seat.number, seat.number + static_cast<std::uint32_t>(seats_.size())}) {
    if (std::none_of(workers_.begin(), workers_.end(),
                     [number](const auto& each) { return each->number() == number; })) {
      return number;
    }
  }
  return std::nullopt;
}

bool Team::start_worker(Seat& seat, std::string& why) {
  const auto number = free_number(seat);
  const auto slot = number ? slots_.take() : std::nullopt;
  if (!slot) {
    why = "too many workers are on their way out";
    return false;
  }
  std::vector<int> descriptors{generation_->snapshot(), generation_->statistics().descriptor()};
  const std::vector<int> zones = descriptors_of(generation_->zones());
  descriptors.insert(descriptors.end(), zones.begin(), zones.end());
  WorkerProcess::Events& events = *this;
  auto started = WorkerProcess::start(loop_, events, slots_.board().descriptor(),
                                      {*slot, generation_->number(), *number}, descriptors);
  if (!started) {
    slots_.give_back(*slot);
    why = started.error().message;
    return false;
  }
  workers_.push_back(std::move(started).value());
  seat.worker = workers_.back().get();
  return true;
}

void Team::fill(Seat& seat) {
  if (state_ != State::serving || seat.worker != nullptr) return;
  if (is_exclusive() && !workers_.empty()) return;  // Its end fills the seat.
  std::string why;
  if (start_worker(seat, why)) return;
  log_.error("a worker cannot be started", {{"reason", why}});
  fill_later(seat);
}

void Team::fill_later(Seat& seat) {
  const auto delay =
      std::min<base::Duration>(first_delay * (1U << std::min(seat.failures, 10U)), longest_delay);
  ++seat.failures;
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(delay).count();
  log_.warn("a worker is started again later",
            {{"worker", std::to_string(seat.number)}, {"milliseconds", std::to_string(milliseconds)}});
  loop_.timers().arm(seat.due, loop_.now() + delay);
}

void Team::on_word(WorkerProcess& worker, Word word, process::Message& message) {
  switch (word) {
    case Word::ready:
      on_ready(worker);
      break;
    case Word::failed:
      worker.last_words = without_newline(message.text);
      break;
    case Word::deaf:
      worker.deaf = true;
      tell_if_deaf();
      break;
    case Word::hand:
      exchange_.on_hand(worker, message);
      break;
    case Word::taken:
      exchange_.on_taken(worker, message.text);
      break;
    case Word::start:
    case Word::listen:
    case Word::stop:
    case Word::reopen:
    case Word::level:
    case Word::retire:
    case Word::placed:
    case Word::take:
    case Word::suspend:
    case Word::attach:
    case Word::detach:
    case Word::hurry:
      break;  // Not a worker's to say.
  }
}

void Team::on_ready(WorkerProcess& worker) {
  if (worker.state != WorkerState::starting) return;
  worker.state = WorkerState::serving;
  worker.since = loop_.now();
  worker.watchdog = Watchdog(config().server.watchdog);
  worker.watchdog.begin(process::read(slots_[worker.slot()].beats), worker.since);
  if (state_ == State::serving) {
    log_.info("worker ready",
              {{"worker", std::to_string(worker.number())}, {"pid", std::to_string(worker.pid())}});
    pass_sockets(worker);
    Seat* const seat = seat_of(worker);
    if (seat != nullptr && seat->replaced != nullptr) send_away(*std::exchange(seat->replaced, nullptr), {});
    events_.on_team_changed(*this);
    return;
  }
  // At first nobody is served before all can be.
  const bool all = std::all_of(workers_.begin(), workers_.end(),
                               [](const auto& each) { return each->state == WorkerState::serving; });
  if (state_ == State::starting && all) events_.on_team_ready(*this);
}

void Team::pass_sockets(WorkerProcess& worker) {
  if (suspects_.any() && !worker.tell(Word::suspend, suspects_.names())) return;
  std::string numbers;
  std::vector<int> descriptors;
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    numbers += (numbers.empty() ? "" : " ") + std::to_string(sockets_[i].listen);
    descriptors.push_back(sockets_[i].socket->descriptor());
    if (descriptors.size() < process::Channel::most_descriptors && i + 1 < sockets_.size()) continue;
    if (!worker.tell(Word::listen, numbers, descriptors)) return;
    numbers.clear();
    descriptors.clear();
  }
  slots_[worker.slot()].serving.store(generation_->number());
}

void Team::send_away(WorkerProcess& worker, const std::string& drain) {
  worker.state = WorkerState::leaving;
  worker.left = loop_.now();
  slots_[worker.slot()].serving.store(0);
  worker.tell(Word::retire, drain);
}

/// For one that only starts when the worker of this seat has ended.
void Team::make_room(Seat& seat) {
  seat.replaced = std::exchange(seat.worker, nullptr);
  send_away(*seat.replaced, {});
  seat.replaced->tell(Word::hurry);
  events_.on_team_changed(*this);
}

void Team::on_end(WorkerProcess& worker, const process::End& end) {
  const bool lived = worker.state == WorkerState::serving && loop_.now() - worker.since >= shortest_life;
  const Culprit culprit = culprit_of(slots_[worker.slot()], end, worker.last_words, config());
  const bool accused = worker.state == WorkerState::serving && state_ == State::serving && accuse(culprit);
  const bool first_start = state_ == State::starting;
  const std::string why = first_start ? why_not_started(worker, end, culprit) : std::string();
  if (!first_start) tell_end(worker, end, culprit);
  Seat* const seat = seat_of(worker);
  slots_.give_back(worker.slot());
  generation_->statistics().rest(worker.number());
  exchange_.ended(worker);
  const WorkerProcess* const gone = &worker;
  if (seat != nullptr) empty(*seat, *gone, lived || accused);
  std::erase_if(workers_, [gone](const auto& each) { return each.get() == gone; });
  switch (state_) {
    case State::starting:
      fail(why);
      break;
    case State::serving:
      if (seat != nullptr && seat->worker == nullptr && !seat->due.armed()) fill(*seat);
      events_.on_team_changed(*this);
      break;
    case State::retiring:
      tell_if_deaf();
      end_if_nobody_left();
      break;
    case State::aside:
    case State::stopping:
      end_if_nobody_left();
      break;
    case State::gone:
      break;
  }
}

/// Its worker has ended: what becomes of the seat. Filled at once where it is empty and not due later.
void Team::empty(Seat& seat, const WorkerProcess& worker, bool lived) {
  if (seat.replaced == &worker) {
    seat.replaced = nullptr;
    return;
  }
  seat.worker = std::exchange(seat.replaced, nullptr);
  if (state_ != State::serving) return;
  if (lived) {
    seat.failures = 0;
  } else {
    fill_later(seat);  // One that should have replaced another: the other goes on until then.
  }
}

/// Whether it is known who ended it while it served: then it is that plugin that has to wait, not the seat.
bool Team::accuse(const Culprit& culprit) {
  if (culprit.route.empty()) return false;
  const std::string& plugin = culprit.plugin;
  // The worker wrote it: anything may be there.
  const auto& known = config().plugins;
  if (std::none_of(known.begin(), known.end(), [&plugin](const auto& each) { return each.name == plugin; }))
    return false;
  if (suspects_.ended(plugin, loop_.now())) {
    const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(suspects_.time_of(plugin));
    log_.error("a plugin is not called for a while: it ended one worker after the other",
               {{"plugin", plugin}, {"milliseconds", std::to_string(time.count())}});
    tell_suspended();
  }
  return true;
}

void Team::tell_suspended() {
  tell_all(Word::suspend, suspects_.names());
  if (const auto next = suspects_.next_release()) loop_.timers().arm(released_, *next);
}

void Team::on_released(base::TimePoint now) {
  if (suspects_.release(now)) log_.info("a plugin that was not called for a while is called again");
  tell_suspended();
}

Team::Seat* Team::seat_of(const WorkerProcess& worker) noexcept {
  for (const auto& each : seats_) {
    if (each->worker == &worker || each->replaced == &worker) return each.get();
  }
  return nullptr;
}

std::string Team::why_not_started(const WorkerProcess& worker, const process::End& end,
                                  const Culprit& culprit) {
  if (!worker.last_words.empty() && !end.by_signal) return worker.last_words;
  const std::string where = culprit.plugin.empty() ? "" : " in plugin \"" + culprit.plugin + "\"";
  const std::string more = worker.last_words.empty() ? "" : ": " + worker.last_words;
  return "a worker ended before it was ready: " + end.text + where + more;
}

void Team::tell_end(const WorkerProcess& worker, const process::End& end, const Culprit& culprit) {
  const std::string number = std::to_string(worker.number());
  const std::string pid = std::to_string(worker.pid());
  const bool leaves = worker.state == WorkerState::leaving || state_ == State::stopping;
  if (leaves && !end.by_signal && end.value == 0) {
    log_.info("worker ended", {{"worker", number}, {"pid", pid}});
    return;
  }
  if (state_ == State::stopping && worker.state == WorkerState::starting) return;  // It was killed by this.
  std::string one_of;
  for (const std::string& each : culprit.candidates) one_of += (one_of.empty() ? "" : ", ") + each;
  log_.error("worker ended", {{"worker", number},
                              {"pid", pid},
                              {"how", end.text},
                              {"plugin", culprit.plugin},
                              {"route", culprit.route},
                              {"one_of", one_of},
                              {"reason", worker.last_words}});
}

// --- all of them ---

void Team::start() {
  for (const auto& seat : seats_) {
    std::string why;
    if (start_worker(*seat, why)) continue;
    fail(why);
    return;
  }
}

void Team::adopt(const std::vector<Inheritance::Worker>& workers) {
  state_ = State::serving;
  WorkerProcess::Events& events = *this;
  for (const Inheritance::Worker& each : workers) {
    auto worker =
        WorkerProcess::adopt(loop_, events, {each.slot, generation_->number(), each.number}, each.started,
                             {static_cast<pid_t>(each.pid), process::FileDescriptor(each.pidfd),
                              process::Channel(process::FileDescriptor(each.channel))});
    if (!worker) {
      log_.error("a worker cannot be taken over", {{"reason", worker.error().message}});
      continue;  // Its channel has ended: it finishes what runs.
    }
    slots_.claim(each.slot);
    Seat& seat = *seats_[each.number % seats_.size()];
    workers_.push_back(std::move(worker).value());
    seat.worker = workers_.back().get();
    seat.worker->watchdog = Watchdog(config().server.watchdog);
    seat.worker->watchdog.begin(process::read(slots_[each.slot].beats), loop_.now());
  }
  for (const auto& seat : seats_) {
    if (seat->worker == nullptr) fill(*seat);
  }
  events_.on_team_changed(*this);
}

std::vector<Inheritance::Worker> Team::inheritance() const {
  std::vector<Inheritance::Worker> left;
  for (const auto& each : workers_) {
    if (each->state != WorkerState::serving) continue;
    left.push_back(
        {each->slot(), each->number(), each->pid(), each->pidfd(), each->channel(), each->started});
  }
  return left;
}

bool Team::is_settled() const noexcept {
  return workers_.size() == seats_.size() &&
         std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& each) { return each->state == WorkerState::serving; });
}

void Team::fail(const std::string& why) {
  if (state_ != State::starting) return;
  give_up();
  events_.on_team_failed(*this, why);
}

void Team::give_up() {
  state_ = State::stopping;
  kill_all();
  end_if_nobody_left();
}

void Team::serve() {
  state_ = State::serving;
  for (const auto& each : workers_) pass_sockets(*each);
  events_.on_team_changed(*this);
}

void Team::retire(const Team* successor) {
  state_ = State::retiring;
  std::string drain;
  for (const OpenSocket& mine : sockets_) {
    if (successor == nullptr) break;
    const bool kept = std::any_of(successor->sockets_.begin(), successor->sockets_.end(),
                                  [&mine](const OpenSocket& each) { return each.socket == mine.socket; });
    if (kept) continue;
    mine.socket->stop();  // First its name goes; whoever found it before is in the backlog.
    drain += (drain.empty() ? "" : " ") + std::to_string(mine.listen);
  }
  if (successor != nullptr) sockets_.clear();
  for (const auto& seat : seats_) seat->due.cancel();
  for (const auto& each : workers_) {
    if (each->state == WorkerState::serving) send_away(*each, drain);
    if (each->state == WorkerState::starting) each->kill(SIGKILL);  // It has nothing to finish.
  }
  loop_.timers().arm(grace_, loop_.now() + config().server.reload_grace + kill_delay);
  end_if_nobody_left();
}

void Team::step_aside() {
  state_ = State::aside;
  for (const auto& seat : seats_) seat->due.cancel();
  for (const auto& each : workers_) {
    if (each->state == WorkerState::serving) send_away(*each, {});
    if (each->state == WorkerState::leaving) each->tell(Word::hurry);
    if (each->state == WorkerState::starting) each->kill(SIGKILL);  // It has nothing to finish.
  }
  loop_.timers().arm(grace_, loop_.now() + config().server.reload_grace + kill_delay);
  events_.on_team_changed(*this);
  end_if_nobody_left();
}

void Team::come_back() {
  state_ = State::serving;
  grace_.cancel();
  nobody_left_.cancel();
  for (const auto& seat : seats_) {
    seat->failures = 0;
    fill(*seat);
  }
}

void Team::stop(Stop how) {
  state_ = State::stopping;
  close_sockets();
  for (const auto& seat : seats_) seat->due.cancel();
  for (const auto& each : workers_) {
    if (how == Stop::at_once || each->state == WorkerState::starting) {
      each->kill(SIGKILL);
    } else {
      slots_[each->slot()].serving.store(0);
      each->state = WorkerState::leaving;
      each->tell(Word::stop, how == Stop::drained ? "drain" : "");
    }
  }
  grace_.cancel();
  if (how == Stop::in_grace)
    loop_.timers().arm(grace_, loop_.now() + config().server.shutdown_grace + kill_delay);
  end_if_nobody_left();
}

void Team::close_sockets() {
  for (const OpenSocket& each : sockets_) each.socket->stop();
  sockets_.clear();
}

void Team::tell_all(Word word, std::string_view text) {
  for (const auto& each : workers_) each->tell(word, text);
}

void Team::kill_all() {
  for (const auto& each : workers_) each->kill(SIGKILL);
}

void Team::on_grace_over(base::TimePoint /*now*/) {
  for (const auto& each : workers_)
    log_.error("a worker does not end: it is killed", {{"pid", std::to_string(each->pid())}});
  kill_all();
}

std::vector<Partner*> Team::serving() const {
  std::vector<Partner*> found;
  for (const auto& each : workers_) {
    if (each->state == WorkerState::serving) found.push_back(each.get());
  }
  return found;
}

bool Team::is_deaf() const noexcept {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& each) { return each->deaf || each->state == WorkerState::starting; });
}

/// Not while it serves: then some of its workers may be leaving as well, those that were worn out.
void Team::tell_if_deaf() {
  if (state_ == State::retiring && is_deaf() && !std::exchange(told_deaf_, true)) events_.on_team_deaf(*this);
}

void Team::end_if_nobody_left() {
  // Not at once: whoever asked for its end looks at it still.
  if (workers_.empty() && state_ != State::gone) loop_.timers().arm(nobody_left_, loop_.now());
}

void Team::on_nobody_left(base::TimePoint /*now*/) {
  grace_.cancel();
  if (state_ == State::aside) {
    events_.on_team_aside(*this);
    return;
  }
  state_ = State::gone;
  if (!std::exchange(told_deaf_, true)) events_.on_team_deaf(*this);
  events_.on_team_gone(*this);
}

}  // namespace trivet::host
