#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/buffer.hpp"
#include "runtime/io/transport.hpp"
#include "runtime/process/counters.hpp"
#include "runtime/protocol/demultiplexer.hpp"
#include "runtime/roles/environment.hpp"
#include "runtime/roles/request.hpp"

namespace trivet::host {

class Connection;

/// What the connections of one loop share.
struct ConnectionContext {
  roles::Environment& environment;
  process::WorkerCounters& counters;
  /// Where every read goes first: used up before the next connection reads.
  std::span<std::uint8_t> read_buffer;
  /// An output buffer that whoever has something to send borrows for a turn.
  base::Buffer spare_out;
  protocol::Capacity capacity;
  /// The worker retires: every connection that comes to rest is told to its owner.
  bool retiring = false;
};

/// One connection from a web server: joins its transport, the demultiplexer and the open requests.
///
/// Everything happens in turns: an event comes in, requests take their input and queue their output, and at
/// the end of the turn the output of all of them is sent with one write, what is next is awaited, and clocks
/// are set.
///
///   serving -> finishing -> draining -> dead          straight to dead when the peer is gone
///
///   serving    reads, unless its only request keeps a full window and its output moves; where its output is
///   blocked, only a peer that has taken nothing of it for a moment is read from
///   finishing  no new input is taken; what is complete is answered
///   draining   everything was sent; what the peer still sends is dropped, so that it reads the answer and
///   not a reset
///
/// While serving it can leave, when nothing of it is open: its descriptor goes to another worker, and the
/// peer sees nothing of that. One that never comes to rest is frozen first: requests that it has not begun
/// wait for the other worker.
///
/// Thread    [loop].
/// Lifetime  Owned by its Owner, which deletes it in on_connection_dead(), the last thing it does in a turn.
/// Memory    Per request as roles::Request says; output up to `window` and what one plugin call wrote. Idle:
/// no buffer.
class Connection final : public io::TransportEvents,
                         private protocol::ConnectionEvents,
                         private roles::Peer,
                         private base::Task {
 public:
  class Owner {
   public:
    Owner() = default;
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    virtual ~Owner() = default;
    virtual void on_connection_dead(Connection& connection) = 0;
    /// It can leave, and may be made to in here: the last thing it does in a turn. Told when it first comes
    /// to rest after a request that keeps it, and whenever it does while the worker retires.
    virtual void on_connection_idle(Connection& connection) = 0;
  };

  Connection(Owner& owner, ConnectionContext& context, std::string peer,
             const roles::Request::Origin& origin);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override;

  /// Tries the first read at once.
  void start(std::unique_ptr<io::Transport> transport);
  /// One that left another worker: `payload` comes before what is still to be read. It is not told of as one
  /// that first comes to rest.
  void take_over(std::unique_ptr<io::Transport> transport, base::Bytes payload);
  /// The host is stopping: closes as soon as nothing is open.
  void stop();
  /// Cancels everything and is dead at the end of the turn.
  void abandon();

  /// No request is open, none has begun to arrive, and everything was sent.
  [[nodiscard]] bool is_idle() const noexcept;
  /// Nothing of it is open: whoever takes its descriptor over can go on.
  [[nodiscard]] bool can_leave() const noexcept;
  /// It could not be made to leave this time: on_connection_idle() comes again after its next request.
  void ask_again() noexcept { chance_ = Chance::coming; }
  struct Leaving {
    int descriptor;        ///< The caller's.
    base::Buffer payload;  ///< At most Parcel::most_payload bytes that were read and not begun.
  };
  /// When it can. Then only destroying it is left, which is the caller's.
  [[nodiscard]] Leaving leave();
  /// Begins no more requests, so that it comes to rest. Where more than a Parcel takes comes before that, and
  /// what is open needs more input, it thaws, and may be frozen again.
  void freeze();
  [[nodiscard]] std::uint32_t listener() const noexcept { return origin_.listener; }
  /// When a byte last moved.
  [[nodiscard]] base::TimePoint last_active() const noexcept { return std::max(last_read_, last_sent_); }

  /// The owner's: where it keeps it.
  std::size_t slot = 0;

  void on_readable() override;
  void on_writable() override;
  void on_hangup() override;

 private:
  enum class State : std::uint8_t { serving, finishing, draining, dead };
  /// To go to a worker that has less to do, once: when it first comes to rest.
  enum class Chance : std::uint8_t { coming, due, past };

  // protocol::ConnectionEvents
  protocol::RequestInput* on_begin(const protocol::BeginRequest& begin) override;
  void on_unknown_role(std::uint16_t id, bool keep_connection) override;

  // roles::Peer
  base::Buffer& out() noexcept override { return out_; }
  void write(std::uint16_t id, base::Bytes content) override;
  [[nodiscard]] bool has_room() const noexcept override;
  [[nodiscard]] bool shared() const noexcept override { return requests_.size() > 1; }
  void touch() noexcept override;
  void on_request_ended(roles::Request& request, bool broken) override;
  [[nodiscard]] std::string_view name() const noexcept override { return peer_; }

  void run() override;  // base::Task

  void begin_turn() noexcept;
  void end_turn();
  void read();
  void take(base::Bytes bytes);
  void judge(std::string_view violation);
  void thaw();
  void on_input_end();
  void drop_incomplete();
  void produce_and_send();
  bool send();
  bool account(const io::Transfer& sent, std::size_t asked) noexcept;
  [[nodiscard]] bool sends_at_once(std::size_t content) const noexcept;
  void resume_requests();
  void let_go_of_complete();
  [[nodiscard]] bool has_ended() const noexcept { return !ended_.empty() || !ended_ids_.empty(); }
  void reap();
  void settle();
  void decide_reading();
  [[nodiscard]] bool should_read() const noexcept;
  [[nodiscard]] bool waits_for_peer() const noexcept;
  void finish();
  void die() noexcept;
  void on_clock(base::TimePoint now);
  void on_peer_reads(base::TimePoint now);
  void set_clock();
  [[nodiscard]] base::TimePoint next_deadline() const noexcept;
  [[nodiscard]] base::TimePoint input_since(const roles::Request& request) const noexcept;
  [[nodiscard]] const base::Limits& limits() const noexcept { return context_.environment.limits; }

  Owner& owner_;
  ConnectionContext& context_;
  std::string peer_;
  roles::Request::Origin origin_;
  std::unique_ptr<io::Transport> transport_;
  base::Buffer out_;
  protocol::Demultiplexer demultiplexer_;
  std::vector<roles::Request*> requests_;  ///< Open, in no order.
  std::vector<roles::Request*> ended_;     ///< Let go of at the end of the turn.
  std::vector<std::uint16_t> ended_ids_;   ///< Of those that were let go of before.
  base::MemberTimer<Connection, &Connection::on_clock> clock_{*this};
  base::MemberTimer<Connection, &Connection::on_peer_reads> peer_reads_{*this};
  base::TimePoint last_read_{};
  base::TimePoint last_sent_{};
  base::TimePoint reading_since_{};
  std::uint64_t drained_ = 0;
  std::size_t round_ = 0;  ///< Bytes of this round that went out without waiting in out_.
  std::size_t flood_ = 0;  ///< Bytes queued by input alone while the peer read nothing.
  State state_ = State::serving;
  Chance chance_ = Chance::coming;
  bool reading_ = false;
  bool in_turn_ = false;
  bool posted_ = false;
  bool close_when_done_ = false;
  bool input_ended_ = false;   ///< The peer sends no more.
  bool unread_input_ = false;  ///< Some request was answered before its input came to its end.
  bool send_blocked_ = false;
  bool writes_first_ = false;         ///< The peer took nothing of what waits: it may want to write first.
  bool send_failed_ = false;          ///< The peer is gone: it is dead at the end of the turn.
  bool clock_stale_ = false;          ///< What the clock waits for has to be looked up again.
  mutable bool room_wanted_ = false;  ///< Somebody was told that there is no room.
  bool again_ = false;                ///< Another turn is wanted at once.
};

}  // namespace trivet::host
