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
constexpr std::size_t most_retiring = 3;
/// For the old workers to stop accepting. One that hangs is not waited for.
constexpr auto deaf_patience = std::chrono::seconds(5);

void say(const std::string& text) { std::fputs(text.c_str(), stderr); }

/// Each line of it as a message of this program.
std::string as_messages(const std::string& lines) {
  std::string messages;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    messages += "trivet: " + lines.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return messages;
}

std::string as_lines(const std::vector<base::Error>& errors) {
  std::string lines;
  for (const base::Error& error : errors) lines += error.message + "\n";
  return lines;
}

int tell_all(const std::vector<base::Error>& errors, int code) {
  say(as_messages(as_lines(errors)));
  return code;
}

/// What `systemctl status` shows.
std::string in_one_line(const Team& team) {
  return "serving with " + std::to_string(team.workers().size()) + " workers, generation " +
         std::to_string(team.generation().number());
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
  ++generations_;
  Team::Events& events = *this;
  teams_.push_back(std::make_unique<Team>(events, Team::Surroundings{loop_, log_, slots_, exchange_},
                                          std::move(generation), std::move(opened)));
  next_ = teams_.back().get();
  return {};
}

base::Result<> Supervisor::listen_for_control(const config::Server& server) {
  if (auto listening = admin_.listen(server.admin); !listening) return listening;
  return attach_.listen(server.attach);
}

// --- reload ---

void Supervisor::reload(AdminReply reply) {
  if (stopping_) {
    reply.answer(exit_failed, "trivet: the host is stopping\n");
    return;
  }
  // While one runs the files may have changed since it read them: the next one is for all who ask meanwhile.
  asked_.push_back(std::move(reply));
  wanted_ = true;
  begin_reload();
}

void Supervisor::begin_reload() {
  if (!wanted_ || reloading_ || upgrading_ || stopping_ || serving_ == nullptr || retiring() >= most_retiring)
    return;
  wanted_ = false;
  reloading_ = true;
  running_ = std::exchange(asked_, {});
  notices_.reloading();
  config::Loaded loaded = config::load_file(origin_.file, origin_.overrides, plugin::look_at);
  warnings_ = loaded.diagnostics.empty() ? std::string() : config::render_all(loaded);
  if (!loaded.config) {
    finish_reload(exit_configuration, warnings_);
    return;
  }
  if (loaded.config->server.processes == 0) {
    finish_reload(exit_configuration,
                  as_messages(origin_.file + ": server.processes: a running host cannot go to 0, "
                                             "everything in one process: restart it"));
    return;
  }
  if (const auto errors = prepare(std::move(loaded)); !errors.empty()) {
    finish_reload(exit_failed, warnings_ + as_messages(as_lines(errors)));
    return;
  }
  next_->start();
}

void Supervisor::on_team_ready(Team& team) {
  if (serving_ == nullptr) {
    serving_ = &team;
    next_ = nullptr;
    team.serve();
    tell_that_ready(log_, team.config());
    notices_.ready(in_one_line(team));
    return;
  }
  change_over(team);
}

void Supervisor::change_over(Team& to) {
  auto logs = open_logs(to.config().log);
  if (!logs) {
    to.stop(Team::Stop::at_once);
    next_ = nullptr;
    finish_reload(exit_failed, warnings_ + as_messages(logs.error().message));
    return;
  }
  log_.exchange(std::move(logs.value().log));
  awaited_ = std::exchange(serving_, &to);
  next_ = nullptr;
  // First the new ones accept, then the old ones stop: at no moment nobody does.
  to.serve();
  loop_.timers().arm(deaf_, loop_.now() + deaf_patience);
  awaited_->retire(&to);
}

void Supervisor::on_team_failed(Team& team, const std::string& why) {
  if (serving_ == nullptr) {
    // The first start: whoever started this host is to know that it does not.
    code_ = exit_failed;
    stopping_ = true;
    say(as_messages(why));
    return;
  }
  if (next_ != &team) return;
  next_ = nullptr;
  finish_reload(exit_failed, warnings_ + as_messages(why));
}

void Supervisor::on_team_changed(Team& team) {
  if (&team != serving_) return;
  exchange_.set_takers(team.serving());
  attachments_.set_takers(team.serving());
}

void Supervisor::on_team_deaf(Team& team) {
  if (&team == awaited_) finish_reload(exit_ok, warnings_);
}

void Supervisor::on_deaf_too_late(base::TimePoint /*now*/) {
  if (awaited_ == nullptr) return;
  finish_reload(
      exit_ok,
      warnings_ + as_messages("a worker of the old generation has not stopped accepting yet: it hangs"));
}

void Supervisor::finish_reload(int code, const std::string& messages) {
  awaited_ = nullptr;
  deaf_.cancel();
  if (!reloading_) return;
  if (before_.is_open() && code != exit_ok) {
    failure_ = messages.empty() ? "trivet: the new program could not serve\n" : messages;
    if (teams_.size() == 1) go_back();
    return;  // Else once the team that could not start is gone.
  }
  reloading_ = false;
  if (code == exit_ok) {
    unread_counts_.clear();
    log_.info("reloaded", {{"generation", std::to_string(serving_->generation().number())}});
  } else {
    log_.error("reload failed: what served before serves on", {{"reason", messages}});
    if (serving_ != nullptr) static_cast<void>(listen_for_control(serving_->config().server));
  }
  before_.reset();
  sockets_.release_inherited();
  for (AdminReply& each : running_) each.answer(code, messages);
  running_.clear();
  if (serving_ != nullptr) notices_.ready(in_one_line(*serving_));
  begin_reload();
}

std::size_t Supervisor::retiring() const noexcept {
  return static_cast<std::size_t>(std::count_if(
      teams_.begin(), teams_.end(), [](const auto& each) { return each->state() == Team::State::retiring; }));
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
