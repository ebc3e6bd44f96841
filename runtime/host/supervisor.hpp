#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/config/config.hpp"
#include "runtime/host/generation.hpp"
#include "runtime/host/listeners.hpp"
#include "runtime/host/serving.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/io/signals.hpp"
#include "runtime/io/watch.hpp"
#include "runtime/process/board.hpp"
#include "runtime/process/worker_start.hpp"

namespace trivet::host {

/// Keeps `processes` workers at work: opens the listening sockets, starts workers from a generation, passes
/// them the sockets when all are ready, and starts another one for each that ends. Loads no plugin itself.
///
/// A worker that ends soon after its start is started again later and later: 100 ms, doubled up to 10 s. One
/// that was at work for longer is replaced at once.
///
/// Thread    [startup] up to run(); everything else on its loop.
/// Lifetime  What it is made from outlives it.
class Supervisor {
 public:
  Supervisor(const config::Config& config, const Logs& logs, const Generation& generation,
             Listeners& listeners, process::Board& board, io::EventLoop& loop);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Until a signal ends it. Gives the exit code; a worker that cannot start at first is told on standard
  /// error.
  int run();

 private:
  enum class State : std::uint8_t { none, starting, serving, stopping };
  struct Worker {
    Worker(Supervisor& owner, std::uint32_t number) : supervisor(owner), slot(number) {}
    void on_due(base::TimePoint now) { supervisor.start(*this, now); }

    Supervisor& supervisor;
    std::uint32_t slot;
    State state = State::none;
    std::unique_ptr<process::StartedWorker> process;
    std::unique_ptr<io::Watch> channel;
    std::unique_ptr<io::Watch> death;
    base::TimePoint since{};     ///< It is ready.
    std::uint32_t failures = 0;  ///< Ends too soon, one after the other.
    std::string last_words;      ///< Why it could not start.
    base::MemberTimer<Worker, &Worker::on_due> due{*this};
  };

  void start(Worker& worker, base::TimePoint now);
  void on_message(Worker& worker);
  void on_ready(Worker& worker);
  void pass_listeners(Worker& worker);
  void on_end(Worker& worker);
  void tell_end(const Worker& worker, const process::End& end);
  void restart_later(Worker& worker);
  void on_signal(int number);
  void stop();
  void on_grace_over(base::TimePoint now);
  void end_if_done();
  void tell_ready();

  const config::Config& config_;
  const Logs& logs_;
  log::Log& log_;
  const Generation& generation_;
  Listeners& listeners_;
  process::Board& board_;
  io::EventLoop& loop_;
  std::vector<std::unique_ptr<Worker>> workers_;
  base::MemberTimer<Supervisor, &Supervisor::on_grace_over> grace_{*this};
  bool ready_ = false;  ///< Once all workers were.
  bool stopping_ = false;
  int code_ = 0;
};

/// Everything around it: folders, logs, the generation.
int supervise(const config::Loaded& loaded, const config::Overrides& overrides,
              const std::vector<process::PassedSocket>& passed);

}  // namespace trivet::host
