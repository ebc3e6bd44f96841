#include "runtime/host/supervisor.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <new>
#include <utility>

#include "runtime/host/folders.hpp"
#include "runtime/host/line.hpp"
#include "runtime/host/start.hpp"
#include "runtime/io/descriptor_limit.hpp"
#include "runtime/process/service_manager.hpp"
#include "runtime/process/signal_mask.hpp"

namespace trivet::host {
namespace {

using process::Channel;

constexpr auto shortest_life = std::chrono::seconds(1);
constexpr auto first_delay = std::chrono::milliseconds(100);
constexpr auto longest_delay = std::chrono::milliseconds(10'000);
/// For workers that end by themselves when their own time is over.
constexpr auto kill_delay = std::chrono::seconds(1);

void say(const std::string& text) { std::fputs(text.c_str(), stderr); }

int tell_all(const std::vector<base::Error>& errors, int code) {
  for (const base::Error& error : errors) say("trivet: " + error.message + "\n");
  return code;
}

}  // namespace

Supervisor::Supervisor(const config::Config& config, const Logs& logs, const Generation& generation,
                       Listeners& listeners, process::Board& board, io::EventLoop& loop)
    : config_(config),
      logs_(logs),
      log_(*logs.log),
      generation_(generation),
      listeners_(listeners),
      board_(board),
      loop_(loop) {
  for (std::uint32_t slot = 0; slot < config.server.processes; ++slot)
    workers_.push_back(std::make_unique<Worker>(*this, slot));
}

Supervisor::~Supervisor() = default;

int Supervisor::run() {
  auto signals = io::Signals::open(loop_, [this](int number) { on_signal(number); });
  if (!signals) return tell_all({signals.error()}, exit_internal);
  for (const auto& worker : workers_) start(*worker, loop_.now());
  end_if_done();
  loop_.run();
  process::hold_signals();
  return code_;
}

// --- one worker ---

void Supervisor::start(Worker& worker, base::TimePoint /*now*/) {
  if (stopping_) return;
  new (&board_.slot(worker.slot)) process::WorkerSlot();
  auto started = process::start_worker(board_.descriptor());
  if (!started && !ready_) {
    code_ = tell_all({started.error()}, exit_failed);
    stop();
    return;
  }
  if (!started) {
    log_.error("a worker cannot be started", {{"reason", started.error().message}});
    restart_later(worker);
    return;
  }
  worker.process = std::make_unique<process::StartedWorker>(std::move(started).value());
  worker.state = State::starting;
  worker.last_words.clear();
  auto channel =
      io::Watch::open(loop_, worker.process->channel.descriptor(), [this, &worker] { on_message(worker); });
  auto death = io::Watch::open(loop_, worker.process->pidfd.get(), [this, &worker] { on_end(worker); });
  const std::array<int, 1> snapshot{generation_.snapshot()};
  if (!channel || !death ||
      worker.process->channel.send(static_cast<std::uint32_t>(Word::start),
                                   pack(Start{worker.slot, 1, worker.slot}),
                                   snapshot) != Channel::Outcome::done) {
    ::kill(worker.process->pid, SIGKILL);  // Its end is handled like any other's.
    if (!death) {
      static_cast<void>(process::wait_for(worker.process->pid));
      worker.process.reset();
      worker.state = State::none;
      restart_later(worker);
      return;
    }
  }
  if (channel) worker.channel = std::move(channel).value();
  worker.death = std::move(death).value();
}

void Supervisor::on_message(Worker& worker) {
  process::Message message;
  for (;;) {
    switch (worker.process->channel.receive(message)) {
      case Channel::Outcome::done:
        break;
      case Channel::Outcome::empty:
        return;
      case Channel::Outcome::full:
      case Channel::Outcome::gone:
        worker.channel.reset();  // Its end follows.
        return;
    }
    switch (static_cast<Word>(message.kind)) {
      case Word::ready:
        on_ready(worker);
        break;
      case Word::failed:
        worker.last_words = message.text;
        break;
      case Word::start:
      case Word::listen:
      case Word::stop:
      case Word::reopen:
      case Word::level:
      case Word::retire:
      case Word::deaf:
      case Word::hand:
      case Word::placed:
      case Word::take:
      case Word::taken:
        break;  // Not a worker's to say.
    }
  }
}

void Supervisor::on_ready(Worker& worker) {
  if (worker.state != State::starting) return;
  worker.state = State::serving;
  worker.since = loop_.now();
  if (ready_) {
    pass_listeners(worker);
    log_.info("worker ready",
              {{"worker", std::to_string(worker.slot)}, {"pid", std::to_string(worker.process->pid)}});
    return;
  }
  // At first nobody is served before all can be.
  const bool all = std::all_of(workers_.begin(), workers_.end(),
                               [](const auto& each) { return each->state == State::serving; });
  if (!all) return;
  ready_ = true;
  for (const auto& each : workers_) pass_listeners(*each);
  tell_ready();
}

void Supervisor::pass_listeners(Worker& worker) {
  std::string numbers;
  std::vector<int> descriptors;
  const auto send = [&] {
    if (descriptors.empty()) return true;
    const auto outcome =
        worker.process->channel.send(static_cast<std::uint32_t>(Word::listen), numbers, descriptors);
    numbers.clear();
    descriptors.clear();
    return outcome == Channel::Outcome::done;
  };
  bool sent = true;
  for (const auto& [listen, descriptor] : listeners_.descriptors()) {
    numbers += (numbers.empty() ? "" : " ") + std::to_string(listen);
    descriptors.push_back(descriptor);
    if (descriptors.size() == Channel::most_descriptors) sent = sent && send();
  }
  if (send() && sent) return;
  log_.error("a worker does not take the listening sockets", {{"pid", std::to_string(worker.process->pid)}});
  ::kill(worker.process->pid, SIGKILL);
}

void Supervisor::on_end(Worker& worker) {
  if (worker.channel != nullptr) on_message(worker);  // What it still said.
  const process::End end = process::wait_for(worker.process->pid);
  tell_end(worker, end);
  const bool was_serving = worker.state == State::serving;
  const bool lived = was_serving && loop_.now() - worker.since >= shortest_life;
  worker.channel.reset();
  worker.death.reset();
  worker.process.reset();
  worker.state = State::none;
  if (stopping_) {
    end_if_done();
  } else if (!ready_) {
    // The first start: whoever started this host is to know that it does not.
    code_ = exit_failed;
    stop();
  } else if (lived) {
    worker.failures = 0;
    start(worker, loop_.now());
  } else {
    restart_later(worker);
  }
}

void Supervisor::tell_end(const Worker& worker, const process::End& end) {
  const std::string pid = std::to_string(worker.process->pid);
  if (stopping_ && !ready_) return;  // The first that could not start has said why.
  const bool wanted = stopping_ && !end.by_signal && end.value == 0;
  if (wanted) {
    log_.info("worker ended", {{"worker", std::to_string(worker.slot)}, {"pid", pid}});
    return;
  }
  const process::CrashNote& note = board_.slot(worker.slot).crash;
  const std::string plugin = note.is_written() ? note.plugin() : std::string();
  const std::string route = note.is_written() ? note.route() : std::string();
  std::string why = worker.last_words;
  while (why.ends_with('\n')) why.pop_back();
  if (!ready_ && !worker.last_words.empty()) {
    std::string_view rest = worker.last_words;
    while (!rest.empty()) {
      const std::size_t line = std::min(rest.find('\n'), rest.size() - 1);
      say("trivet: " + std::string(rest.substr(0, line)) + "\n");
      rest.remove_prefix(line + 1);
    }
    return;
  }
  if (!ready_) {
    const std::string where = plugin.empty() ? "" : " in plugin \"" + plugin + "\"";
    say("trivet: a worker ended before it was ready: " + end.text + where + "\n");
    return;
  }
  log_.error("worker ended", {{"worker", std::to_string(worker.slot)},
                              {"pid", pid},
                              {"how", end.text},
                              {"plugin", plugin},
                              {"route", route},
                              {"reason", why}});
}

void Supervisor::restart_later(Worker& worker) {
  const auto delay =
      std::min<base::Duration>(first_delay * (1U << std::min(worker.failures, 10U)), longest_delay);
  ++worker.failures;
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(delay).count();
  log_.warn("a worker is started again later",
            {{"worker", std::to_string(worker.slot)}, {"milliseconds", std::to_string(milliseconds)}});
  loop_.timers().arm(worker.due, loop_.now() + delay);
}

// --- all of them ---

void Supervisor::on_signal(int number) {
  switch (number) {
    case SIGHUP:
      logs_.reopen();
      for (const auto& each : workers_) {
        if (each->process != nullptr)
          static_cast<void>(each->process->channel.send(static_cast<std::uint32_t>(Word::reopen), {}));
      }
      log_.warn("SIGHUP: the logs were reopened; reloading is not served by this version yet");
      break;
    case SIGUSR2:
      log_.warn("SIGUSR2: binary upgrade is not served by this version yet");
      break;
    default:
      stop();
  }
}

void Supervisor::stop() {
  if (std::exchange(stopping_, true)) return;
  log_.info("stopping", {{"workers", std::to_string(workers_.size())}});
  process::tell_service_manager("STOPPING=1");
  listeners_.stop();
  for (const auto& each : workers_) {
    each->due.cancel();
    if (each->process == nullptr) continue;
    const bool told =
        each->state == State::serving &&
        each->process->channel.send(static_cast<std::uint32_t>(Word::stop), {}) == Channel::Outcome::done;
    // One that still loads its plugins has nothing to finish.
    if (!told) ::kill(each->process->pid, SIGKILL);
    each->state = State::stopping;
  }
  loop_.timers().arm(grace_, loop_.now() + config_.server.shutdown_grace + kill_delay);
  end_if_done();
}

void Supervisor::on_grace_over(base::TimePoint /*now*/) {
  for (const auto& each : workers_) {
    if (each->process == nullptr) continue;
    log_.error("a worker does not end: it is killed", {{"pid", std::to_string(each->process->pid)}});
    ::kill(each->process->pid, SIGKILL);
  }
}

void Supervisor::end_if_done() {
  if (!stopping_) return;
  const bool any = std::any_of(workers_.begin(), workers_.end(),
                               [](const auto& each) { return each->process != nullptr; });
  if (!any) loop_.stop();
}

void Supervisor::tell_ready() {
  tell_that_ready(log_, config_);
  process::tell_service_manager("READY=1");
}

int supervise(const config::Loaded& loaded, const config::Overrides& overrides,
              const std::vector<process::PassedSocket>& passed) {
  const config::Config& config = *loaded.config;
  auto logs = open_logs(config.log);
  if (!logs) return tell_all({logs.error()}, exit_failed);
  const auto possible = io::raise_descriptor_limit(config.limits.connections);
  if (!possible) return tell_all({possible.error()}, exit_internal);
  tell_of_descriptors(*logs->log, config, possible.value());
  if (const auto errors = make_folders(config); !errors.empty()) return tell_all(errors, exit_failed);
  remove_stale_generations(config.server.plugin_cache);
  std::unique_ptr<Generation> generation;
  if (const auto errors = Generation::make(loaded, overrides, generation); !errors.empty())
    return tell_all(errors, exit_failed);
  Listeners listeners(config, *logs->log);
  if (const auto errors = listeners.open(passed); !errors.empty()) return tell_all(errors, exit_failed);
  auto board = process::Board::make(process::most_workers);
  if (!board) return tell_all({board.error()}, exit_internal);
  auto loop = io::EventLoop::open();
  if (!loop) return tell_all({loop.error()}, exit_internal);
  int code = exit_internal;
  {
    Supervisor supervisor(config, *logs, *generation, listeners, *board, **loop);
    code = supervisor.run();
  }
  tell_that_stopped(*logs);
  return code;
}

}  // namespace trivet::host
