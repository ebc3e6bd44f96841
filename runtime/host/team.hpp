#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/timer_queue.hpp"
#include "runtime/host/culprit.hpp"
#include "runtime/host/exchange.hpp"
#include "runtime/host/generation.hpp"
#include "runtime/host/inheritance.hpp"
#include "runtime/host/slots.hpp"
#include "runtime/host/socket_pool.hpp"
#include "runtime/host/suspects.hpp"
#include "runtime/host/worker_process.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/log/log.hpp"

namespace trivet::host {

/// The workers of one generation: as many as `processes` says, each in a seat that is filled again when its
/// worker ends.
///
///   starting -> serving -> retiring -> gone           a stop leads to gone from any
///                serving <-> aside -> retiring
///
///   starting  none serves before all can; one that cannot ends the start
///   serving   a worker that ends is replaced: at once if it served for a second, else after 100 ms, doubled
///   each
///             time up to 10 s; one that is worn out is replaced first and retired then
///   retiring  none accepts any more, connections go to the next team as they become idle
///   aside     its workers end, so that another team can have what only one process may have; its sockets
///   stay
///             open. It serves again if that other one cannot
///
/// One with an exclusive plugin never has two processes, whatever makes it replace one: the next is started
/// when the one before has ended.
///
/// Thread    [loop] of the supervisor.
/// Lifetime  Owned by its Events. What it is made from outlives it, but for `generation` and the sockets,
///           which are its own: the private copies of the plugins are there as long as it is.
class Team final : private WorkerProcess::Events {
 public:
  class Events {
   public:
    Events() = default;
    Events(const Events&) = delete;
    Events& operator=(const Events&) = delete;
    virtual ~Events() = default;

    /// All can serve: serve() or stop().
    virtual void on_team_ready(Team& team) = 0;
    /// One could not start, and why, a line each: the others are killed, then it is gone.
    virtual void on_team_failed(Team& team, const std::string& why) = 0;
    /// The workers that serve are others than before.
    virtual void on_team_changed(Team& team) = 0;
    /// It retires, and none accepts any more.
    virtual void on_team_deaf(Team& team) = 0;
    /// It stepped aside, and no worker is left.
    virtual void on_team_aside(Team& team) = 0;
    /// No worker is left. May delete it.
    virtual void on_team_gone(Team& team) = 0;
  };
  enum class State : std::uint8_t { starting, serving, aside, retiring, stopping, gone };

  /// Beyond the time that workers have to end by themselves.
  static constexpr base::Duration kill_delay = std::chrono::seconds(2);

  struct Surroundings {
    io::EventLoop& loop;
    log::Log& log;
    Slots& slots;
    Exchange& exchange;
  };

  Team(Events& events, const Surroundings& around, std::unique_ptr<Generation> generation,
       std::vector<OpenSocket> sockets);
  ~Team() override;
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  void start();
  /// In place of start(): these serve already, and did before this image of the program ran.
  void adopt(const std::vector<Inheritance::Worker>& workers);
  /// Every worker gets the sockets, and so does each that replaces one.
  void serve();
  /// `successor` keeps some of its sockets; the backlog of the others is emptied before they close. Null: the
  /// sockets stay as they are, for one that comes later.
  void retire(const Team* successor);
  /// Serves no more until it is told to come back; what its workers have to finish they hurry with.
  void step_aside();
  /// As if all its workers had just ended.
  void come_back();
  /// One that does not serve yet, and never will: its sockets are others' as well, and stay open for those.
  void give_up();
  enum class Stop : std::uint8_t { at_once, in_grace, drained };
  void stop(Stop how);
  void tell_all(Word word, std::string_view text = {});
  /// Once a second: workers that hang, that are worn out or have lost threads.
  void look_after(base::TimePoint now);

  [[nodiscard]] State state() const noexcept { return state_; }
  /// It has a plugin that only one process may have.
  [[nodiscard]] bool is_exclusive() const noexcept { return config::has_exclusive(config()); }
  [[nodiscard]] const Generation& generation() const noexcept { return *generation_; }
  [[nodiscard]] const config::Config& config() const noexcept { return generation_->config(); }
  [[nodiscard]] const std::vector<std::unique_ptr<WorkerProcess>>& workers() const noexcept {
    return workers_;
  }
  /// Those that serve and are not on their way out.
  [[nodiscard]] std::vector<Partner*> serving() const;
  [[nodiscard]] bool is_deaf() const noexcept;
  /// Every seat has one worker, which serves, and nobody is on his way.
  [[nodiscard]] bool is_settled() const noexcept;
  /// For the next image.
  [[nodiscard]] std::vector<Inheritance::Worker> inheritance() const;

 private:
  struct Seat {
    Seat(Team& owner, std::uint32_t index) : team(owner), number(index) {}
    void on_due(base::TimePoint) { team.fill(*this); }

    Team& team;
    std::uint32_t number;
    WorkerProcess* worker = nullptr;    ///< Who serves here.
    WorkerProcess* replaced = nullptr;  ///< Who does until `worker` is ready.
    std::uint32_t failures = 0;         ///< Ends too soon, one after the other.
    base::MemberTimer<Seat, &Seat::on_due> due{*this};
  };

  void on_word(WorkerProcess& worker, Word word, process::Message& message) override;
  void on_end(WorkerProcess& worker, const process::End& end) override;
  void fill(Seat& seat);
  bool start_worker(Seat& seat, std::string& why);
  void on_ready(WorkerProcess& worker);
  void fail(const std::string& why);
  void pass_sockets(WorkerProcess& worker);
  void send_away(WorkerProcess& worker, const std::string& drain);
  void make_room(Seat& seat);
  void empty(Seat& seat, const WorkerProcess& worker, bool lived);
  void fill_later(Seat& seat);
  void close_sockets();
  bool accuse(const Culprit& culprit);
  void tell_suspended();
  void on_released(base::TimePoint now);
  void tell_end(const WorkerProcess& worker, const process::End& end, const Culprit& culprit);
  [[nodiscard]] static std::string why_not_started(const WorkerProcess& worker, const process::End& end,
                                                   const Culprit& culprit);
  void kill_hung(base::TimePoint now);
  void kill_late(base::TimePoint now);
  void replace_worn();
  void replace(Seat& seat);
  void on_grace_over(base::TimePoint now);
  void on_nobody_left(base::TimePoint now);
  void kill_all();
  void end_if_nobody_left();
  void tell_if_deaf();
  [[nodiscard]] Seat* seat_of(const WorkerProcess& worker) noexcept;
  [[nodiscard]] std::optional<std::uint32_t> free_number(const Seat& seat) const noexcept;

  Events& events_;
  io::EventLoop& loop_;
  log::Log& log_;
  Slots& slots_;
  Exchange& exchange_;
  std::unique_ptr<Generation> generation_;
  std::vector<OpenSocket> sockets_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::vector<std::unique_ptr<WorkerProcess>> workers_;  ///< Also those that are on their way out.
  Suspects suspects_;
  base::MemberTimer<Team, &Team::on_released> released_{*this};
  State state_ = State::starting;
  bool told_deaf_ = false;
  base::MemberTimer<Team, &Team::on_grace_over> grace_{*this};
  base::MemberTimer<Team, &Team::on_nobody_left> nobody_left_{*this};
};

}  // namespace trivet::host
