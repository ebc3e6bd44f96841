#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"
#include "runtime/host/exchange.hpp"
#include "runtime/host/line.hpp"
#include "runtime/host/start.hpp"
#include "runtime/host/watchdog.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/io/watch.hpp"
#include "runtime/process/channel.hpp"
#include "runtime/process/worker_start.hpp"

namespace trivet::host {

/// A worker, as its supervisor sees it: a process that says words and may end at any time.
///
/// Nothing that it sends is believed beyond its form. What it floods its channel with is read a few messages
/// at a time, so that others have their turn; one that does not read what it is told is killed.
///
/// Thread    [loop] of the supervisor.
/// Lifetime  Owned by its Events, which let go of it in on_end(). Destroying it earlier leaves the process to
///           see that its channel has ended.
class WorkerProcess final : public Partner {
 public:
  /// starting -> serving -> leaving: it was told to retire or to stop
  enum class State : std::uint8_t { starting, serving, leaving };

  class Events {
   public:
    Events() = default;
    Events(const Events&) = delete;
    Events& operator=(const Events&) = delete;
    virtual ~Events() = default;

    virtual void on_word(WorkerProcess& worker, Word word, process::Message& message) = 0;
    /// The last thing that is heard of it; what it said before its end has been told. Deletes it.
    virtual void on_end(WorkerProcess& worker, const process::End& end) = 0;
  };

  /// Starts one and tells it what to start with. `descriptors` as Start has them.
  static base::Result<std::unique_ptr<WorkerProcess>> start(io::EventLoop& loop, Events& events, int board,
                                                            const Start& start,
                                                            std::span<const int> descriptors);
  /// One that an earlier image of this process started, and that serves.
  static base::Result<std::unique_ptr<WorkerProcess>> adopt(io::EventLoop& loop, Events& events,
                                                            const Start& start, base::TimePoint started,
                                                            process::StartedWorker process);
  ~WorkerProcess() override;
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  /// False where it takes nothing any more: its end follows. One that only does not listen is killed.
  bool tell(Word word, std::string_view text = {}, std::span<const int> descriptors = {}) override;
  void kill(int signal) const noexcept override;
  /// First so that it notes whose code runs, a second later for good. `why` is kept as its last words.
  void abort(std::string why);

  [[nodiscard]] std::int64_t pid() const noexcept override { return process_.pid; }
  [[nodiscard]] std::uint32_t slot() const noexcept override { return start_.slot; }
  /// Readable when it has ended.
  [[nodiscard]] int pidfd() const noexcept { return process_.pidfd.get(); }
  [[nodiscard]] int channel() const noexcept { return process_.channel.descriptor(); }
  [[nodiscard]] std::uint32_t number() const noexcept { return start_.number; }
  [[nodiscard]] std::uint32_t generation() const noexcept { return start_.generation; }

  State state = State::starting;
  base::TimePoint started{};
  base::TimePoint since{};          ///< It is ready.
  base::TimePoint left{};           ///< It was told to retire.
  Watchdog watchdog{std::nullopt};  ///< Of its loop, from then on.
  bool deaf = false;                ///< It accepts no more.
  std::string last_words;           ///< Why it could not start, or was killed.

 private:
  WorkerProcess(io::EventLoop& loop, Events& events, const Start& start, process::StartedWorker process)
      : loop_(loop), events_(events), start_(start), process_(std::move(process)) {}
  base::Result<> watch();
  void on_message();
  void ends_soon();
  void on_death();
  void on_kill(base::TimePoint /*now*/) { kill(9); }

  io::EventLoop& loop_;
  Events& events_;
  Start start_;
  process::StartedWorker process_;
  std::unique_ptr<io::Watch> channel_;
  std::unique_ptr<io::Watch> death_;
  base::MemberTimer<WorkerProcess, &WorkerProcess::on_kill> kill_{*this};
};

}  // namespace trivet::host
