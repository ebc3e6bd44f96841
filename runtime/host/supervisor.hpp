#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/config/load.hpp"
#include "runtime/host/admin_handler.hpp"
#include "runtime/host/admin_server.hpp"
#include "runtime/host/attach_server.hpp"
#include "runtime/host/attachments.hpp"
#include "runtime/host/exchange.hpp"
#include "runtime/host/serving.hpp"
#include "runtime/host/slots.hpp"
#include "runtime/host/socket_pool.hpp"
#include "runtime/host/team.hpp"
#include "runtime/host/upgrade.hpp"
#include "runtime/host/zones.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/io/signals.hpp"
#include "runtime/log/switchable_log.hpp"
#include "runtime/process/board.hpp"
#include "runtime/process/service_notices.hpp"
#include "runtime/process/statistics.hpp"

namespace trivet::host {

/// Where the configuration comes from, at the start and at each reload.
struct Origin {
  std::string file;
  config::Overrides overrides;
};

/// Keeps workers at work and loads no plugin itself: opens the listening sockets, makes a generation of the
/// configuration, has a Team of workers serve it, and goes from one team to the next when it is asked to
/// reload.
///
///   one team starts -> it serves -> another starts, of the new configuration -> it serves, the first retires
///
/// Where both have a plugin that only one process may have it is
///
///   one team serves -> it steps aside -> another starts -> it serves; if it cannot, the first one comes back
///
/// and in between nobody serves: who connects waits in the backlog, who is connected with the Exchange.
///
/// Whatever is wrong with the new configuration ends before the first team has noticed anything. At most
/// three teams retire at once: a reload waits until one of them has gone.
///
/// Thread    [startup] up to run(); everything else on its loop.
/// Lifetime  What it is made from outlives it.
class Supervisor final : public AdminHandler, private Team::Events {
 public:
  Supervisor(Origin origin, log::SwitchableLog& log, process::Board& board, SocketPool& sockets,
             io::EventLoop& loop);
  ~Supervisor() override;
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Until a signal or a command ends it. Gives the exit code; what is wrong with the first configuration, or
  /// a worker that cannot start at first, is told on standard error.
  int run(config::Loaded first);

  /// The same for an image of the program that takes the place of an earlier one.
  int run(Inheritance inheritance);

  void reload(AdminReply reply) override;
  void upgrade(AdminReply reply) override;
  std::string status(bool json) override;
  void end(End how) override;
  bool set_level(std::string_view name) override;

 private:
  void on_team_ready(Team& team) override;
  void on_team_failed(Team& team, const std::string& why) override;
  void on_team_changed(Team& team) override;
  void on_team_deaf(Team& team) override;
  void on_team_aside(Team& team) override;
  void on_team_gone(Team& team) override;

  void on_signal(int number);
  void on_tick(base::TimePoint now);
  void reopen_logs();
  std::vector<base::Error> prepare(config::Loaded loaded);
  void tell_of_exclusive(const config::Config& config);
  base::Result<> listen_for_control(const config::Server& server);

  // supervisor_reload.cpp
  void begin_reload();
  void on_begin_too_late(base::TimePoint now);
  void start_next();
  void on_room();
  void change_over(Team& to);
  void refuse_next(const std::string& messages);
  void on_overdue(base::TimePoint now);
  void on_not_back();
  void on_deaf_too_late(base::TimePoint now);
  void finish_reload(int code, const std::string& messages);
  [[nodiscard]] std::size_t retiring() const noexcept;
  [[nodiscard]] bool has_exclusive_other_than(const Team& team) const noexcept;
  [[nodiscard]] base::Duration longest_retirement() const noexcept;

  // supervisor_upgrade.cpp
  int serve_signals();
  [[nodiscard]] bool is_settled() const noexcept;
  void on_upgrade_step(base::TimePoint now);
  void start_probe();
  void on_probed(const std::string& why_not);
  void end_upgrade(const std::string& failure);
  [[nodiscard]] Inheritance inheritance();
  base::Error become_with_clients(int program, Inheritance left);
  void count_on(Inheritance& left);
  void go_back();

  Origin origin_;
  log::SwitchableLog& log_;
  ZoneStore zones_{log_};
  Slots slots_;
  SocketPool& sockets_;
  io::EventLoop& loop_;
  process::ServiceNotices notices_{loop_};
  Exchange exchange_;
  Attachments attachments_;
  AttachServer attach_;
  AdminServer admin_;
  std::vector<std::unique_ptr<Team>> teams_;  ///< The newest last.
  Team* serving_ = nullptr;                   ///< Or it stepped aside for `next_`.
  Team* next_ = nullptr;                      ///< It starts.
  Team* awaited_ = nullptr;                   ///< It should stop accepting; then the reload is done.
  process::StatisticsTotals counted_;         ///< By teams that are gone.
  std::uint32_t generations_ = 0;
  std::vector<AdminReply> asked_;  ///< For a reload that has not begun.
  bool wanted_ = false;
  std::vector<AdminReply> running_;  ///< For the one that has.
  bool reloading_ = false;
  bool waits_ = false;               ///< `next_` does not start yet.
  std::optional<std::string> back_;  ///< Why it cannot serve; `serving_` is to come back.
  std::string warnings_;
  AdminReply upgrader_;  ///< Who asked for the upgrade that is under way.
  bool upgrading_ = false;
  bool probed_ = false;
  base::TimePoint upgrade_until_{};
  std::unique_ptr<Probe> probe_;
  std::optional<ProgramFile> candidate_;  ///< What was asked.
  process::FileDescriptor before_;        ///< The image before this one, until this one's workers serve.
  std::string failure_;                   ///< Why this one cannot serve and goes back to that.
  std::string unread_counts_;             ///< What that had counted, where this one cannot go on with it.
  std::string program_;                   ///< Where this one was started from.
  base::MemberTimer<Supervisor, &Supervisor::on_upgrade_step> upgrade_{*this};
  base::TimePoint started_{};
  base::MemberTimer<Supervisor, &Supervisor::on_tick> tick_{*this};
  base::MemberTimer<Supervisor, &Supervisor::on_deaf_too_late> deaf_{*this};
  base::MemberTimer<Supervisor, &Supervisor::on_overdue> overdue_{*this};
  base::MemberTimer<Supervisor, &Supervisor::on_begin_too_late> begin_{*this};
  bool stopping_ = false;
  bool draining_ = false;  ///< However long what runs takes.
  int code_ = 0;
};

/// Each line of it as a message of this program.
[[nodiscard]] std::string as_messages(const std::string& lines);
[[nodiscard]] std::string as_messages(const std::vector<base::Error>& errors);

/// Everything around it: the log, descriptors, the board, the admin socket.
int supervise(Origin origin, config::Loaded loaded, std::vector<process::PassedSocket> passed);
int supervise(Origin origin, Inheritance inheritance);

}  // namespace trivet::host
