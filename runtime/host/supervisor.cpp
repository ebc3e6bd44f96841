#include "runtime/host/supervisor.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <utility>

#include "runtime/host/assembly.hpp"
#include "runtime/host/folders.hpp"
#include "runtime/io/descriptor_limit.hpp"
#include "runtime/plugin/note.hpp"
#include "runtime/process/signal_mask.hpp"

namespace trivet::host {
namespace {

constexpr auto tick = std::chrono::seconds(1);

void say(const std::string& text) { std::fputs(text.c_str(), stderr); }

int tell_all(const std::vector<base::Error>& errors, int code) {
  say(as_messages(errors));
  return code;
}

}  // namespace

Supervisor::Supervisor(Origin origin, log::SwitchableLog& log, process::Board& board, SocketPool& sockets,
                       io::EventLoop& loop)
    : origin_(std::move(origin)),
      log_(log),
      slots_(board),
      sockets_(sockets),
      loop_(loop),
      exchange_(board, loop, log),
      attach_(loop, log, attachments_),
      admin_(loop, log, *this),
      program_(executable_path()),
      started_(loop.now()) {}

Supervisor::~Supervisor() = default;

int Supervisor::run(config::Loaded first) {
  if (const auto errors = prepare(std::move(first)); !errors.empty()) return tell_all(errors, exit_failed);
  next_->start();
  return serve_signals();
}

int Supervisor::serve_signals() {
  auto signals = io::Signals::open(loop_, [this](int number) { on_signal(number); });
  if (!signals) return tell_all({signals.error()}, exit_internal);
  process::release_signals();
  loop_.timers().arm(tick_, loop_.now() + tick);
  loop_.run();
  process::hold_signals();
  return code_;
}

/// Makes `next_` of a configuration, ready to be started. Nothing of what serves is changed.
std::vector<base::Error> Supervisor::prepare(config::Loaded loaded) {
  const config::Config& config = *loaded.config;
  const auto possible =
      io::raise_descriptor_limit(config.limits.connections, descriptors_of_a_connection(config));
  if (!possible) return {possible.error()};
  if (generations_ == 0) tell_of_descriptors(log_, config, possible.value());
  if (auto errors = make_folders(config); !errors.empty()) return errors;
  remove_stale_generations(config.server.plugin_cache);
  std::unique_ptr<Generation> generation;
  if (auto errors = Generation::make(std::move(loaded), origin_.overrides, generations_ + 1, generation);
      !errors.empty()) {
    return errors;
  }
  auto zones = zones_.take(generation->config().zones);
  if (!zones) return {zones.error()};
  generation->hold(std::move(zones).value());
  std::vector<base::Error> errors;
  std::vector<OpenSocket> opened = sockets_.open(generation->config(), errors);
  if (!errors.empty()) return errors;
  if (const auto listening = listen_for_control(generation->config().server); !listening)
    return {listening.error()};
  tell_of_exclusive(generation->config());
  ++generations_;
  Team::Events& events = *this;
  teams_.push_back(std::make_unique<Team>(events, Team::Surroundings{loop_, log_, slots_, exchange_},
                                          std::move(generation), std::move(opened)));
  next_ = teams_.back().get();
  return {};
}

void Supervisor::tell_of_exclusive(const config::Config& config) {
  const auto found = std::find_if(config.plugins.begin(), config.plugins.end(),
                                  [](const config::Plugin& each) { return each.exclusive; });
  if (found != config.plugins.end())
    log_.info("there is one worker: a plugin is exclusive", {{"plugin", found->name}});
}

base::Result<> Supervisor::listen_for_control(const config::Server& server) {
  if (auto listening = admin_.listen(server.admin); !listening) return listening;
  return attach_.listen(server.attach);
}

void Supervisor::on_team_gone(Team& team) {
  const bool last_words = code_ == exit_failed && serving_ == nullptr;
  counted_.add(team.generation().statistics(), names_of(team.config()),
               process::StatisticsTotals::Workers::ended);
  if (&team == serving_) serving_ = nullptr;
  if (serving_ != nullptr) counted_.keep(names_of(serving_->config()));
  std::erase_if(teams_, [&team](const auto& each) { return each.get() == &team; });
  if (stopping_) {
    if (teams_.empty() || last_words) loop_.stop();
    return;
  }
  if (!failure_.empty() && teams_.size() == 1) go_back();
  on_room();
  begin_reload();
}

// --- everything else ---

void Supervisor::on_signal(int number) {
  switch (number) {
    case SIGHUP:
      reopen_logs();
      log_.info("SIGHUP: the logs were reopened, the configuration is read again");
      reload({});
      break;
    case SIGUSR2:
      log_.info("SIGUSR2: binary upgrade");
      upgrade({});
      break;
    default:
      end(End::graceful);
  }
}

void Supervisor::reopen_logs() {
  log_.reopen();
  for (const auto& each : teams_) each->tell_all(Word::reopen);
}

bool Supervisor::set_level(std::string_view name) {
  const auto level = log::level_named(name);
  if (!level) return false;
  log_.set_level(*level);
  for (const auto& each : teams_) each->tell_all(Word::level, name);
  return true;
}

void Supervisor::end(End how) {
  const bool first = !std::exchange(stopping_, true);
  if (first) {
    log_.info("stopping",
              {{"workers", std::to_string(serving_ == nullptr ? 0 : serving_->workers().size())}});
    notices_.stopping();
    before_.reset();
    finish_reload(exit_failed, "trivet: the host is stopping\n");
    end_upgrade("trivet: the host is stopping\n");
    for (AdminReply& each : asked_) each.answer(exit_failed, "trivet: the host is stopping\n");
    asked_.clear();
    exchange_.close_all();
    attachments_.set_takers({});
  } else if (how == End::graceful && !draining_) {
    return;  // mod_fcgid sends two.
  }
  draining_ = how == End::drain;
  const Team::Stop stop = how == End::now     ? Team::Stop::at_once
                          : how == End::drain ? Team::Stop::drained
                                              : Team::Stop::in_grace;
  for (const auto& each : teams_) each->stop(stop);
  if (teams_.empty()) loop_.stop();
}

void Supervisor::on_tick(base::TimePoint now) {
  loop_.timers().arm(tick_, now + tick);
  for (const auto& each : teams_) each->look_after(now);
}

int supervise(Origin origin, config::Loaded loaded, std::vector<process::PassedSocket> passed) {
  auto logs = open_logs(loaded.config->log);
  if (!logs) return tell_all({logs.error()}, exit_failed);
  log::SwitchableLog log(std::move(logs.value().log));
  auto board = process::Board::make(process::most_workers);
  if (!board) return tell_all({board.error()}, exit_internal);
  auto loop = io::EventLoop::open();
  if (!loop) return tell_all({loop.error()}, exit_internal);
  SocketPool sockets(std::move(passed), log);
  int code = exit_internal;
  {
    Supervisor supervisor(std::move(origin), log, *board, sockets, **loop);
    code = supervisor.run(std::move(loaded));
  }
  tell_that_stopped(log, log.lost());
  return code;
}

}  // namespace trivet::host
