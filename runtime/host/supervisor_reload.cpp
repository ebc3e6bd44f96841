#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "runtime/host/assembly.hpp"
#include "runtime/host/supervisor.hpp"
#include "runtime/plugin/note.hpp"

// From one team to the next, and back where the next cannot serve.
namespace trivet::host {
namespace {

constexpr std::size_t most_retiring = 3;
/// For the old workers to stop accepting. One that hangs is not waited for.
constexpr auto deaf_patience = std::chrono::seconds(5);
/// Beyond every other bound of a reload: what is killed does not end, the disk or the kernel hangs.
constexpr auto patience = std::chrono::seconds(10);

/// What `systemctl status` shows.
std::string in_one_line(const Team& team) {
  return "serving with " + std::to_string(team.workers().size()) + " workers, generation " +
         std::to_string(team.generation().number());
}

}  // namespace

std::string as_messages(const std::string& lines) {
  std::string messages;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    messages += "trivet: " + lines.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return messages;
}

std::string as_messages(const std::vector<base::Error>& errors) {
  std::string lines;
  for (const base::Error& error : errors) lines += error.message + "\n";
  return as_messages(lines);
}

void Supervisor::reload(AdminReply reply) {
  if (stopping_) {
    reply.answer(exit_failed, "trivet: the host is stopping\n");
    return;
  }
  // While one runs the files may have changed since it read them: the next one is for all who ask meanwhile.
  asked_.push_back(std::move(reply));
  wanted_ = true;
  begin_reload();
  if (wanted_ && !begin_.armed()) loop_.timers().arm(begin_, loop_.now() + longest_retirement() + patience);
}

/// Those that retire are killed when their time is over: it is known when there is room for another one.
base::Duration Supervisor::longest_retirement() const noexcept {
  base::Duration longest{};
  for (const auto& each : teams_)
    longest = std::max<base::Duration>(longest, each->config().server.reload_grace + Team::kill_delay);
  return longest;
}

void Supervisor::on_begin_too_late(base::TimePoint now) {
  if (!wanted_ || stopping_) return;
  if (reloading_ || upgrading_) {  // They end, and then it begins.
    loop_.timers().arm(begin_, now + longest_retirement() + patience);
    return;
  }
  wanted_ = false;
  const std::string why =
      "trivet: no reload: generations that retired before do not end, their workers cannot be killed\n";
  log_.error("reload failed: what served before serves on", {{"reason", why}});
  for (AdminReply& each : std::exchange(asked_, {})) each.answer(exit_failed, why);
}

void Supervisor::begin_reload() {
  if (!wanted_ || reloading_ || upgrading_ || stopping_ || serving_ == nullptr || retiring() >= most_retiring)
    return;
  wanted_ = false;
  begin_.cancel();
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
    finish_reload(exit_failed, warnings_ + as_messages(errors));
    return;
  }
  start_next();
}

/// What only one process may have the next team gets when nobody has it any more.
void Supervisor::start_next() {
  base::Duration bound = next_->config().server.start_timeout + patience;
  // A team that serves without a worker now has one due, which would come beside the next team's.
  const bool steps_aside = next_->is_exclusive() && serving_ != nullptr && serving_->is_exclusive() &&
                           serving_->state() == Team::State::serving;
  if (steps_aside || (next_->is_exclusive() && has_exclusive_other_than(*next_))) {
    bound += longest_retirement();
    waits_ = true;
    log_.info("the new generation has a plugin that is exclusive: it starts when the old workers have ended");
  }
  loop_.timers().arm(overdue_, loop_.now() + bound);
  if (!waits_) {
    next_->start();
  } else if (steps_aside) {
    serving_->step_aside();
  }
}

bool Supervisor::has_exclusive_other_than(const Team& team) const noexcept {
  return std::any_of(teams_.begin(), teams_.end(), [&team](const auto& each) {
    return each.get() != &team && each->is_exclusive() && !each->workers().empty();
  });
}

void Supervisor::on_team_aside(Team& /*team*/) { on_room(); }

/// Somebody who had what only one process may have is no more.
void Supervisor::on_room() {
  if (stopping_) return;
  if (waits_) {
    if (has_exclusive_other_than(*next_)) return;
    waits_ = false;
    next_->start();
  } else if (next_ == nullptr && serving_ != nullptr && serving_->state() == Team::State::aside &&
             !before_.is_open() && !has_exclusive_other_than(*serving_)) {
    serving_->come_back();
  }
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
    to.give_up();
    refuse_next(warnings_ + as_messages(logs.error().message));
    return;
  }
  log_.exchange(std::move(logs.value().log));
  awaited_ = std::exchange(serving_, &to);
  next_ = nullptr;
  overdue_.cancel();
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
    std::fputs(as_messages(why).c_str(), stderr);
    return;
  }
  if (next_ != &team) return;
  refuse_next(warnings_ + as_messages(why));
}

/// Who served before serves on, or does so again.
void Supervisor::refuse_next(const std::string& messages) {
  next_ = nullptr;
  waits_ = false;
  const bool is_aside = serving_->state() == Team::State::aside;
  if (!is_aside || before_.is_open()) {  // The image before this one starts its workers itself.
    finish_reload(exit_failed, messages);
    return;
  }
  back_ = messages;
  loop_.timers().arm(overdue_, loop_.now() + serving_->config().server.start_timeout + patience);
  on_room();
}

/// Every part of a reload has its own bound, but for what is killed and does not end.
void Supervisor::on_overdue(base::TimePoint /*now*/) {
  if (!reloading_) return;
  if (back_) {
    on_not_back();
  } else if (next_ != nullptr) {
    Team& given_up = *next_;
    const std::string what = waits_ ? "a worker of the old generation does not end, though it was killed"
                                    : "a worker of the new generation is not ready and does not end, though "
                                      "it was killed";
    refuse_next(warnings_ + as_messages("the reload took too long and is given up: " + what));
    given_up.give_up();
  }
}

/// Whoever asked waits no longer; the host does.
void Supervisor::on_not_back() {
  finish_reload(
      exit_failed,
      *back_ + as_messages("and what served before does not start again: it is tried over and over"));
}

void Supervisor::on_team_changed(Team& team) {
  if (&team != serving_) return;
  const std::vector<Partner*> takers = team.serving();
  exchange_.set_takers(takers, takers.empty() && team.is_exclusive());
  attachments_.set_takers(takers);
  if (!back_ || team.state() != Team::State::serving) return;
  if (takers.empty()) {
    on_not_back();
  } else {
    finish_reload(exit_failed, std::string(*back_));
  }
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
  overdue_.cancel();
  back_.reset();
  waits_ = false;
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

}  // namespace trivet::host
