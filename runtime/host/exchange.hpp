#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/loop.hpp"
#include "runtime/base/timer_queue.hpp"
#include "runtime/host/inheritance.hpp"
#include "runtime/host/line.hpp"
#include "runtime/host/parcel.hpp"
#include "runtime/log/log.hpp"
#include "runtime/process/board.hpp"
#include "runtime/process/channel.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::host {

/// Who gives and takes connections: a worker.
class Partner {
 public:
  Partner() = default;
  Partner(const Partner&) = delete;
  Partner& operator=(const Partner&) = delete;
  virtual ~Partner() = default;

  /// False where it does not listen: then it ends.
  virtual bool tell(Word word, std::string_view text, std::span<const int> descriptors) = 0;
  virtual void kill(int signal) const noexcept = 0;
  [[nodiscard]] virtual std::int64_t pid() const noexcept = 0;
  [[nodiscard]] virtual std::uint32_t slot() const noexcept = 0;
};

/// Connections on their way from worker to worker, and the waiting ones in between: a star with the
/// supervisor in its middle, so that a connection survives also when, for a moment, nobody is there to take
/// it.
///
///   a worker   hand    -> here      waiting; the worker is told `placed` and closes its own
///   here       take    -> another   travelling; a copy is kept until the other says `taken`
///
/// A batch whose taker dies, and what did not arrive of one (its taker has no descriptor left), waits again.
/// Each worker has one unanswered batch in each direction at most, and where more than `most_waiting` wait,
/// those who hand over wait for their answer: that bounds what is held here. Connections go to whoever has
/// fewest; one from a worker that serves, which has too many, not back to it.
///
/// Thread    [loop] of the supervisor.
/// Lifetime  The board, the loop and the log outlive it. A worker is forgotten by ended().
class Exchange {
 public:
  static constexpr std::size_t most_waiting = 2048;

  Exchange(process::Board& board, base::Loop& loop, log::Log& log) : board_(board), loop_(loop), log_(log) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Who takes connections from now on: workers that serve, of one generation. `may_all_wait`: however many
  /// there are, because those who have them have to end before anybody takes one; the bound are descriptors.
  void set_takers(std::vector<Partner*> takers, bool may_all_wait = false);
  void on_hand(Partner& from, process::Message& message);
  void on_taken(Partner& by, std::string_view count);
  /// A worker that is no more.
  void ended(Partner& worker);
  /// Nobody will take them: closes what waits.
  void close_all();
  /// What waits, for the next image of the program: it stays open here.
  [[nodiscard]] std::vector<Inheritance::Connection> inheritance() const;
  /// One that waited when the image before this one ended. False where it is not what that wrote.
  bool adopt(std::string_view parcel, process::FileDescriptor descriptor);

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
  /// Nothing waits, travels or is unanswered.
  [[nodiscard]] bool is_idle() const noexcept {
    return waiting_.empty() && unanswered_.empty() && travelling() == 0;
  }
  [[nodiscard]] std::size_t travelling() const noexcept;
  /// Connections that went to another worker, since the start.
  [[nodiscard]] std::uint64_t moved() const noexcept { return moved_; }

 private:
  struct Item {
    Parcel parcel;
    process::FileDescriptor descriptor;
    const Partner* from;  ///< Only to compare with: it may be gone.
  };
  struct Taker {
    std::vector<Item> batch;     ///< Until it says how many it took.
    base::TimePoint rests_to{};  ///< It took none of the last one.
  };

  void spread();
  [[nodiscard]] bool is_free(Partner& worker, const Partner* from);
  [[nodiscard]] Partner* least_loaded(const Partner* from);
  bool give(Partner& to, std::size_t count);
  void take_back(std::vector<Item>& items, std::size_t from);
  void answer_waiting();
  void on_later(base::TimePoint /*now*/) { spread(); }

  process::Board& board_;
  base::Loop& loop_;
  log::Log& log_;
  std::vector<Partner*> takers_;
  bool may_all_wait_ = false;
  std::map<Partner*, Taker> under_way_;
  std::map<Partner*, std::size_t> unanswered_;  ///< Who handed over and was not told how many arrived.
  std::deque<Item> waiting_;
  base::MemberTimer<Exchange, &Exchange::on_later> later_{*this};
  std::uint64_t moved_ = 0;
};

}  // namespace trivet::host
