#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/config/config.hpp"
#include "runtime/host/assembly.hpp"
#include "runtime/host/connection.hpp"
#include "runtime/host/listeners.hpp"
#include "runtime/host/mover.hpp"
#include "runtime/host/spool_store.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/io/signals.hpp"
#include "runtime/log/batched_log.hpp"
#include "runtime/log/log.hpp"
#include "runtime/process/board.hpp"
#include "runtime/process/counters.hpp"
#include "runtime/roles/environment.hpp"

namespace trivet::host {

/// One worker at work: its loop, listeners, connections and plugins.
///
/// Thread    [startup] up to run(); everything else on the loop, which is the thread that calls run().
/// Lifetime  `config` and both logs outlive it.
/// Memory    Connections up to `limits.connections`, or what the descriptor limit allows; at the bound the
///           longest idle one is closed for a new one, and where none is idle accepting rests.
class Host final : private Connection::Owner, private Mover::Owner, private roles::Tally {
 public:
  /// `access_log` may be null: no line for each request. `counters` outlives it.
  Host(const config::Config& config, log::Log& log, log::BatchedLog* access_log,
       std::unique_ptr<io::EventLoop> loop, Assembly assembly, std::size_t most_connections,
       process::WorkerCounters& counters);
  ~Host() override;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Accepts on these. [startup]
  void listen(std::vector<OpenSocket> opened) { listeners_.take(std::move(opened)); }
  /// Accepts on a socket that another process opened, too. [loop]
  [[nodiscard]] base::Result<> adopt(std::uint32_t listen, process::FileDescriptor socket) {
    return listeners_.adopt(listen, std::move(socket));
  }
  /// The same for one that a web server opened, up to detach(); see AttachedSockets. [loop]
  [[nodiscard]] base::Result<> attach(std::uint32_t id, process::FileDescriptor socket) {
    return listeners_.attach(id, std::move(socket));
  }
  void detach(std::uint32_t id) { listeners_.detach(id); }
  /// One of several: connections move between it and the others, by this channel to the supervisor. The board
  /// says how many each has; `slot` is its own. Both outlive it. [startup]
  void join(process::Channel& channel, const process::Board& board, std::uint32_t slot);
  [[nodiscard]] Mover& mover() noexcept { return *mover_; }
  /// Of several: accepts no more, gives its connections away as they come to rest, and ends with the last.
  /// First accepts who waits at these `[[listen]]`s. [loop]
  void retire(const std::vector<std::uint32_t>& to_empty);
  enum class Grace : std::uint8_t { bounded, unbounded };
  /// Takes no more, finishes what runs, within shutdown_grace if that is to be. Saying it again changes
  /// nothing, but for setting a bound. [loop]
  void stop(Grace grace = Grace::bounded);
  /// Plugins that are not called for now, by name, one a line; all others are. [loop]
  void suspend(std::string_view names);
  /// After somebody moved their files away. [loop]
  void reopen_logs();
  [[nodiscard]] io::EventLoop& loop() noexcept { return *loop_; }
  /// From now on this worker's slot of the board says twice a second that the loop turns. [loop]
  void begin_beating(process::WorkerSlot& slot);

  /// From now on a signal waits for run(), and does not end the process: for before anybody is told that it
  /// is ready. [startup]
  [[nodiscard]] base::Result<> take_signals();
  /// Serves until a signal ends it, what runs is finished, or `shutdown_grace` is over.
  void run();
  /// After run(): false when some plugin thread did not come back; then the process must end without
  /// destroying anything.
  [[nodiscard]] bool quiet();

 private:
  void on_connection_dead(Connection& connection) override;
  void on_connection_idle(Connection& connection) override;
  // Mover::Owner
  void give(Batch& batch) override;
  void serve(std::uint32_t listen, process::FileDescriptor socket, const io::Peer& peer,
             base::Bytes payload) override;
  [[nodiscard]] std::string_view refusal(std::uint32_t listen, const io::Peer& peer) const override;
  void freeze_busy() override;
  void on_reload_grace_over() override;
  void on_moved() override { end_if_done(); }
  void request(const roles::Route* route, roles::Slice slice) noexcept override;
  void response(const roles::Route* route, int status, base::Duration to_head) noexcept override;
  void decided(const roles::Route* route, Decision decision) noexcept override;
  void limit_hit() noexcept override;
  void in_use(std::size_t requests) noexcept override;

  void accept(std::uint32_t listen, int fd, const io::Peer& peer);
  Connection& add_connection(std::uint32_t listen, const io::Peer& peer);
  void forget(const Connection& connection);
  void let_go(Connection& connection, Batch& batch);
  /// What could be closed for a new one, and when it was last active when that was looked at.
  struct Candidate {
    Connection* connection;
    base::TimePoint active;
  };

  bool evict();
  void find_idlest();
  void rest();
  void on_rested(base::TimePoint now);
  void on_signal(int number);
  void on_grace_over(base::TimePoint now);
  void cancel_what_runs(std::string_view why);
  void end_if_done();
  void on_look_again(base::TimePoint now);
  void on_beat(base::TimePoint now);
  std::uint64_t look_at_threads(base::TimePoint now);

  const config::Config& config_;
  log::Log& log_;
  log::BatchedLog* const access_log_;
  std::unique_ptr<io::EventLoop> loop_;
  Assembly assembly_;
  process::WorkerCounters& counters_;
  SpoolFolder spools_;
  roles::Environment environment_;
  ConnectionContext context_;
  std::size_t most_connections_;
  Listeners listeners_;
  std::unique_ptr<Mover> mover_;  ///< Null: there are no others.
  std::unique_ptr<io::Signals> signals_;
  const process::Board* board_ = nullptr;
  std::uint32_t number_ = 0;  ///< Of its slot of the board.
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Candidate>
      idlest_;  ///< Some that were idle longest, the longest last; empty until the bound is met.
  base::MemberTimer<Host, &Host::on_grace_over> grace_{*this};
  base::MemberTimer<Host, &Host::on_look_again> look_again_{*this};
  base::MemberTimer<Host, &Host::on_rested> rested_{*this};
  base::MemberTimer<Host, &Host::on_beat> beat_{*this};
  process::WorkerSlot* slot_ = nullptr;  ///< Null: nobody watches this host.
  std::uint64_t threads_lost_ = 0;       ///< At the last beat.
  log::Seldom evictions_;
  bool full_ = false;
  bool deaf_ = false;       ///< A retiring worker accepts no more.
  bool cancelled_ = false;  ///< `shutdown_grace` or `reload_grace` is over.
};

}  // namespace trivet::host
