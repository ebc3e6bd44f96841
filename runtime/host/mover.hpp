#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/buffer.hpp"
#include "runtime/base/loop.hpp"
#include "runtime/config/config.hpp"
#include "runtime/host/line.hpp"
#include "runtime/host/parcel.hpp"
#include "runtime/io/peer.hpp"
#include "runtime/log/log.hpp"
#include "runtime/process/channel.hpp"

namespace trivet::host {

/// Connections that leave together, each with its descriptor: what one message takes.
class Batch {
 public:
  explicit Batch(const config::Config& config) noexcept : config_(&config) {}

  /// Whether one more that came in by `listen` certainly fits.
  [[nodiscard]] bool has_room(std::uint32_t listen) const noexcept;
  /// `descriptor` is the batch's from now on.
  void add(std::uint32_t listen, int descriptor, const base::Buffer& payload);

  struct Item {
    std::uint32_t listen;
    process::FileDescriptor socket;
    std::string payload;
  };
  [[nodiscard]] std::vector<Item>& items() noexcept { return items_; }
  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  [[nodiscard]] std::string packed() const;
  [[nodiscard]] std::vector<int> descriptors() const;

 private:
  const config::Config* config_;
  std::vector<Item> items_;
  std::size_t text_ = 0;
};

/// Where a worker's connections go to and come from: the supervisor, which passes them on to other workers.
///
/// One batch at a time is on its way. This worker keeps its own descriptors until the supervisor says how
/// many of them arrived, and serves the others on. What comes is served only after the supervisor knows how
/// many did: at any time a connection is read by one worker. While the worker retires:
///
///   0                a batch of all that are at rest, another as soon as the last one arrived, and so on
///   reload_grace/3   those that never come to rest are frozen, and again every sixth of it
///   reload_grace     is over: what still runs is cancelled
///
/// Thread    [loop]
/// Lifetime  Everything it is made of outlives it.
/// Memory    One batch in each direction.
/// Errors    A line that takes no more, or a supervisor that finds nobody to take a batch: the connections
///           are served on and tried again a little later.
class Mover final : private base::Task {
 public:
  class Owner {
   public:
    Owner() = default;
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    virtual ~Owner() = default;

    /// Adds connections that can leave, and lets go of them, while the batch has room.
    virtual void give(Batch& batch) = 0;
    /// One that comes, or comes back. `payload` was read from it and comes first.
    virtual void serve(std::uint32_t listen, process::FileDescriptor socket, const io::Peer& peer,
                       base::Bytes payload) = 0;
    /// Why this peer may not be connected to this listener; empty if it may.
    [[nodiscard]] virtual std::string_view refusal(std::uint32_t listen, const io::Peer& peer) const = 0;
    virtual void freeze_busy() = 0;
    virtual void on_reload_grace_over() = 0;
    /// Nothing of this worker is on its way any more.
    virtual void on_moved() = 0;
  };

  Mover(Owner& owner, process::Channel& channel, base::Loop& loop, const config::Config& config,
        log::Log& log);

  /// The worker accepts no more and gives all its connections away.
  void retire();
  /// Others wait for the end of this retiring worker: also what always has a request open is to leave soon.
  void hurry();
  /// The worker stops: nothing leaves any more, and nothing is taken.
  void stop() noexcept;
  /// Tells that the worker accepts no more.
  void tell_deaf();
  /// Some connection of a retiring worker came to rest.
  void on_rest();
  /// Hands these over, unless something is on its way: then they stay.
  void hand(Batch batch);
  /// A batch is on its way, or what came is not yet acknowledged.
  [[nodiscard]] bool is_busy() const noexcept { return sent_.has_value() || !arrived_.empty(); }
  /// Nothing of this worker is on its way, and the line was not found full.
  [[nodiscard]] bool is_free() const noexcept { return !sent_ && !again_.armed(); }

  void on_placed(const process::Message& message);
  void on_take(process::Message& message);
  /// The supervisor is gone: what is on its way is with whoever has it.
  void on_supervisor_gone();

 private:
  struct Arrival {
    std::uint32_t listen;
    process::FileDescriptor socket;
    io::Peer peer;
    std::string payload;
  };

  void run() override;  // base::Task
  void on_again(base::TimePoint now);
  void on_freeze(base::TimePoint now);
  void on_over(base::TimePoint now);
  void again_in(base::Duration time);
  void send_deaf();
  void answer_take();
  void take_back(std::vector<Batch::Item>& items, std::size_t from);
  [[nodiscard]] std::optional<Arrival> arrival_of(Parcel& parcel, process::FileDescriptor socket) const;
  process::Channel::Outcome say(Word word, std::string_view text = {}, std::span<const int> descriptors = {});

  Owner& owner_;
  process::Channel& channel_;
  base::Loop& loop_;
  const config::Config& config_;
  log::Log& log_;
  std::optional<Batch> sent_;        ///< Not acknowledged; its descriptors are still ours.
  std::vector<Arrival> arrived_;     ///< Served once the supervisor has been told how many.
  std::optional<std::size_t> owed_;  ///< How many it is to be told.
  base::MemberTimer<Mover, &Mover::on_again> again_{*this};
  base::MemberTimer<Mover, &Mover::on_freeze> freeze_{*this};
  base::MemberTimer<Mover, &Mover::on_over> over_{*this};
  bool retiring_ = false;
  bool stopping_ = false;
  bool deaf_owed_ = false;
  bool posted_ = false;
};

}  // namespace trivet::host
