#include "runtime/cli/bench/load.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "runtime/cli/bench/lane.hpp"
#include "runtime/cli/bench/poller.hpp"
#include "runtime/cli/bench/schedule.hpp"
#include "runtime/cli/bench/slot.hpp"
#include "runtime/cli/trace.hpp"
#include "runtime/io/connect.hpp"
#include "runtime/io/descriptor_limit.hpp"

namespace trivet::cli::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t read_size = 262144;
constexpr auto backlog_pause = 1ms;   ///< Until a full backlog is tried again.
constexpr auto refusal_pause = 10ms;  ///< Until an address where nobody listens is.
constexpr std::size_t kept_error_output = 200;

io::Begun begin_connection(const config::Address& address) {
  if (const auto* to = std::get_if<config::UnixAddress>(&address)) return io::begin_unix_connection(to->path);
  const auto* to = std::get_if<config::TcpAddress>(&address);
  return to == nullptr ? io::Begun{{}, EINVAL} : io::begin_tcp_connection(to->host, to->port);
}

/// What a connection over TCP that does not come about fails with, when it is read.
bool is_of_connecting(int error) {
  return error == ECONNREFUSED || error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH;
}

class Load final : public LaneEvents {
 public:
  Load(const LoadPlan& plan, const RequestImage& image, Expected& expected, Tally& tally, Progress* progress,
       Poller& poller)
      : plan_(plan),
        expected_(expected),
        tally_(tally),
        progress_(progress),
        poller_(poller),
        slots_(std::size_t{plan.connections} * plan.at_a_time),
        flights_(slots_),
        served_(plan.connections),
        epochs_(plan.connections),
        blocked_(plan.connections),
        paused_until_(plan.connections),
        start_(Clock::now()),
        now_(start_),
        schedule_(start_, plan.per_second.value_or(1)),
        second_(start_ + 1s),
        read_(read_size) {
    lanes_.reserve(plan.connections);
    for (std::uint32_t number = 0; number < plan.connections; ++number) {
      const std::span<Slot> all = slots_;
      lanes_.emplace_back(number, all.subspan(std::size_t{number} * plan.at_a_time, plan.at_a_time), image);
    }
    if (plan.per_second) {
      for (std::uint32_t each = 0; each < plan.at_a_time; ++each) {
        for (std::uint32_t number = 0; number < plan.connections; ++number) ring_.push_back(number);
      }
      ring_used_ = ring_.size();
    }
  }

  base::Result<LoadResult> run(process::FileDescriptor first) {
    adopt(lanes_.front(), std::move(first));
    if (!open_loop()) {
      for (Lane& lane : lanes_) refill(lane);
    }
    for (;;) {
      now_ = Clock::now();
      give_up_late();
      end_pauses();
      if (over()) break;
      if (open_loop()) start_due();
      tell_progress();
      const auto ready = poller_.wait(next_moment() - now_);
      if (!ready) return ready.error();
      for (const epoll_event& event : ready.value()) on_event(event);
    }
    now_ = Clock::now();
    if (!period_over_) end_period(now_);
    result_.left = live_;
    return result_;
  }

  void on_output(std::uint32_t lane, std::uint16_t id, base::Bytes bytes) override {
    Slot& slot = lanes_[lane].slot(id);
    if (slot.state == Slot::State::live) slot.answer.on_output(bytes, expected_);
  }

  void on_error_output(base::Bytes bytes) override {
    tally_.error_output += bytes.size();
    const std::size_t room =
        kept_error_output - std::min(kept_error_output, tally_.first_error_output.size());
    tally_.first_error_output += base::as_text(bytes.first(std::min(bytes.size(), room)));
  }

  void on_end(std::uint32_t number, std::uint16_t id, std::uint32_t app_status,
              std::uint8_t protocol_status) override {
    Lane& lane = lanes_[number];
    Slot& slot = lane.slot(id);
    if (slot.state == Slot::State::live) {
      ++served_[number];
      --live_;
      if (const auto problem = slot.answer.judge(app_status, protocol_status, expected_)) {
        tally_.fail(problem->kind, [&] { return problem->text; });
      } else {
        ++tally_.good;
        const auto took = std::chrono::nanoseconds(now_ - slot.intended).count();
        tally_.latency.add(static_cast<std::uint64_t>(std::max<std::int64_t>(took, 0)));
      }
    } else {
      // It had been given up: what is left of it gets its time anew.
      slot.given = now_;
      flights_.add(index(lane, id));
    }
    slot.state = Slot::State::answered;
    if (plan_.new_connections || (slot.sending && plan_.at_a_time == 1)) {
      // It may be the application's turn to close, or to read the rest of a body that it has not waited for:
      // a web server does not wait for either.
      leave(lane);
    } else if (!slot.sending) {
      flights_.remove(index(lane, id));
      free(lane, id);
    }
  }

  void on_sent(std::uint32_t number, std::uint16_t id) override {
    Lane& lane = lanes_[number];
    Slot& slot = lane.slot(id);
    slot.sending = false;
    if (slot.state != Slot::State::answered) return;
    flights_.remove(index(lane, id));
    free(lane, id);
  }

 private:
  [[nodiscard]] bool open_loop() const noexcept { return plan_.per_second.has_value(); }
  [[nodiscard]] std::uint32_t index(const Lane& lane, std::uint16_t id) const noexcept {
    return lane.number() * plan_.at_a_time + id - 1U;
  }
  /// A tag of an earlier connection in the same place is not taken for this one's.
  [[nodiscard]] std::uint64_t tag(const Lane& lane) const noexcept {
    return std::uint64_t{epochs_[lane.number()]} << 32U | lane.number();
  }

  // --- what is sent when

  [[nodiscard]] bool may_start() const noexcept {
    return !period_over_ && (!plan_.requests || started_ < *plan_.requests);
  }

  void start(Lane& lane, Clock::time_point intended) {
    const std::uint16_t id = lane.take_idle();
    Slot& slot = lane.slot(id);
    slot.state = Slot::State::live;
    slot.intended = intended;
    slot.given = now_;
    slot.answer.begin();
    flights_.add(index(lane, id));
    ++live_;
    lane.queue(id);
    ++started_;
  }

  /// Closed loop: every idle place gets a request.
  void refill(Lane& lane) {
    if (!open_loop() && !is_paused(lane)) {
      while (lane.has_idle() && may_start()) start(lane, now_);
    }
    flush(lane);
  }

  /// Open loop: what is due goes to whoever has been idle for longest.
  void start_due() {
    while (may_start() && ring_used_ != 0) {
      const Clock::time_point intended = schedule_.intended(started_);
      if (intended > now_) return;
      Lane& lane = lanes_[ring_[ring_first_]];
      ring_first_ = (ring_first_ + 1) % ring_.size();
      --ring_used_;
      start(lane, intended);
      flush(lane);
    }
  }

  void free(Lane& lane, std::uint16_t id) {
    lane.slot(id).state = Slot::State::idle;
    lane.give_back(id);
    if (open_loop())
      ring_[(ring_first_ + ring_used_++) % ring_.size()] = lane.number();
    else if (lane.is_open() && may_start())
      start(lane, now_);
  }

  // --- connections

  [[nodiscard]] bool is_paused(const Lane& lane) const noexcept {
    return paused_until_[lane.number()] != Clock::time_point();
  }

  void adopt(Lane& lane, process::FileDescriptor socket) {
    const int on = 1;
    if (std::holds_alternative<config::TcpAddress>(plan_.address)) {
      ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    ++epochs_[lane.number()];
    served_[lane.number()] = 0;
    blocked_[lane.number()] = false;
    lane.open(std::move(socket));
    ++tally_.connections;
    static_cast<void>(poller_.add(lane.descriptor(), tag(lane)));
  }

  /// Opens a connection where one is needed, and sends.
  void flush(Lane& lane) {
    if (!lane.has_to_send() || is_paused(lane)) return;
    if (!lane.is_open() && !open(lane)) return;
    if (blocked_[lane.number()]) return;
    if (lane.send(tally_.sent, *this) != Lane::Sent::blocked) return;
    blocked_[lane.number()] = true;
    poller_.watch(lane.descriptor(), tag(lane), true);
  }

  bool open(Lane& lane) {
    io::Begun begun = begin_connection(plan_.address);
    if (begun.error == 0) {
      adopt(lane, std::move(begun.socket));
      return true;
    }
    if (begun.error == EAGAIN) {
      pause(lane, backlog_pause);
    } else {
      refused(lane, begun.error);
    }
    return false;
  }

  void refused(Lane& lane, int error) {
    pause(lane, refusal_pause);
    settle(lane, Failure::connect, false, [&] { return base::system_error("no connection", error).message; });
  }

  void pause(Lane& lane, std::chrono::milliseconds time) {
    paused_until_[lane.number()] = now_ + time;
    paused_.push_back(lane.number());
  }

  void end_pauses() {
    if (paused_.empty()) return;
    std::vector<std::uint32_t> over;
    std::erase_if(paused_, [&](std::uint32_t number) {
      if (paused_until_[number] > now_) return false;
      paused_until_[number] = {};
      over.push_back(number);
      return true;
    });
    for (const std::uint32_t number : over) refill(lanes_[number]);
  }

  /// The connection is gone: requests of which nothing was answered on a kept one are sent again, as a web
  /// server does, where `again`; the others have failed.
  template <class Problem>
  void settle(Lane& lane, Failure kind, bool again, const Problem& problem) {
    lane.close();
    const bool kept = served_[lane.number()] != 0;
    for (std::size_t at = 0; at < lane.slots().size(); ++at) {
      const auto id = static_cast<std::uint16_t>(at + 1);
      Slot& slot = lane.slot(id);
      if (slot.state == Slot::State::idle) continue;
      slot.sending = false;
      if (slot.state == Slot::State::live) {
        if (again && kept && !slot.answer.begun()) {
          ++tally_.repeated;
          lane.queue(id);
          continue;
        }
        tally_.fail(kind, problem);
        --live_;
      }
      if (slot.state != Slot::State::given_up) flights_.remove(index(lane, id));
      free(lane, id);
    }
  }

  void leave(Lane& lane) {
    settle(lane, Failure::closed, true, [] { return std::string(); });
  }

  // --- what happens

  void on_event(const epoll_event& event) {
    if (Poller::is_signal(event.data.u64)) {
      result_.interrupted = true;
      return;
    }
    Lane& lane = lanes_[event.data.u64 & 0xffffffffU];
    if (!lane.is_open() || event.data.u64 != tag(lane)) return;
    // Sending would take the error that says why, and leave none to be read.
    if ((event.events & EPOLLOUT) != 0 && (event.events & EPOLLERR) == 0) {
      blocked_[lane.number()] = false;
      const bool blocked = lane.send(tally_.sent, *this) == Lane::Sent::blocked;
      blocked_[lane.number()] = blocked;
      if (!blocked) poller_.watch(lane.descriptor(), tag(lane), false);
    }
    if ((event.events & ~std::uint32_t{EPOLLOUT}) != 0) receive(lane, event.events);
    refill(lane);
  }

  /// Reads once, or where the peer has closed to the end: the next request is then not sent on it.
  void receive(Lane& lane, std::uint32_t events) {
    const bool ends = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    do {
      const ssize_t got = ::recv(lane.descriptor(), read_.data(), read_.size(), 0);
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
      if (got <= 0) {
        on_closed(lane, got < 0 ? errno : 0);
        return;
      }
      now_ = Clock::now();
      tally_.received += static_cast<std::uint64_t>(got);
      const base::Bytes bytes(read_.data(), static_cast<std::size_t>(got));
      if (const std::string problem = lane.take(bytes, *this); !problem.empty()) {
        settle(lane, Failure::protocol, false, [&] { return problem; });
      }
    } while (ends && lane.is_open());
  }

  void on_closed(Lane& lane, int error) {
    if (is_of_connecting(error) && served_[lane.number()] == 0) {
      refused(lane, error);
      return;
    }
    settle(lane, Failure::closed, true, [&] {
      return error == 0 ? std::string("the connection was closed before the request ended")
                        : base::system_error("receiving failed", error).message;
    });
  }

  void give_up_late() {
    while (!flights_.empty() && slots_[flights_.first()].given + plan_.timeout <= now_) {
      const std::uint32_t late = flights_.first();
      Lane& lane = lanes_[late / plan_.at_a_time];
      flights_.remove(late);
      if (slots_[late].state == Slot::State::live) {
        --live_;
        tally_.fail(Failure::timeout,
                    [&] { return "no answer within " + std::to_string(plan_.timeout.count()) + " ms"; });
      }
      slots_[late].state = Slot::State::given_up;
      const auto all = lane.slots();
      const bool waits = std::any_of(all.begin(), all.end(),
                                     [](const Slot& each) { return each.state == Slot::State::live; });
      if (waits) continue;
      leave(lane);
      refill(lane);
    }
  }

  // --- time

  void end_period(Clock::time_point at) {
    period_over_ = true;
    result_.period = at - start_;
    result_.good_in_period = tally_.good;
    if (!open_loop() || result_.interrupted) return;
    std::uint64_t due = schedule_.due(at - 1ns);
    if (plan_.requests) due = std::min(due, *plan_.requests);
    if (due <= started_) return;
    tally_.fail(
        Failure::unsent, [] { return std::string("the rate is more than the connections carry"); },
        due - started_);
  }

  bool over() {
    if (result_.interrupted) return true;
    if (!period_over_ && plan_.duration && now_ >= start_ + *plan_.duration)
      end_period(start_ + *plan_.duration);
    return !may_start() && live_ == 0;
  }

  void tell_progress() {
    if (now_ < second_) return;
    second_ = std::max(second_ + 1s, now_);
    if (progress_ != nullptr) progress_->on_second(now_ - start_, tally_);
  }

  [[nodiscard]] Clock::time_point next_moment() const {
    Clock::time_point next = second_;
    if (!flights_.empty()) next = std::min(next, slots_[flights_.first()].given + plan_.timeout);
    if (!period_over_ && plan_.duration) next = std::min(next, start_ + *plan_.duration);
    if (open_loop() && ring_used_ != 0 && may_start()) next = std::min(next, schedule_.intended(started_));
    for (const std::uint32_t number : paused_) next = std::min(next, paused_until_[number]);
    return next;
  }

  const LoadPlan& plan_;
  Expected& expected_;
  Tally& tally_;
  Progress* progress_;
  Poller& poller_;

  std::vector<Slot> slots_;  ///< Those of one lane after those of the other.
  Flights flights_;
  std::vector<Lane> lanes_;
  // Of each lane:
  std::vector<std::uint64_t> served_;            ///< By the connection that is open.
  std::vector<std::uint32_t> epochs_;            ///< Connections that it had.
  std::vector<bool> blocked_;                    ///< It waits for the socket to take more.
  std::vector<Clock::time_point> paused_until_;  ///< Zero: it is not among paused_.
  std::vector<std::uint32_t> paused_;            ///< Lanes that open no connection for a moment.
  std::vector<std::uint32_t>
      ring_;  ///< Open loop: the lane of each idle place, those that wait longest first.
  std::size_t ring_first_ = 0;
  std::size_t ring_used_ = 0;

  Clock::time_point start_;
  Clock::time_point now_;
  Schedule schedule_;
  Clock::time_point second_;
  std::uint64_t started_ = 0;
  std::uint64_t live_ = 0;  ///< Requests that wait for their answer.
  bool period_over_ = false;
  LoadResult result_;
  std::vector<std::uint8_t> read_;
};

}  // namespace

base::Result<LoadResult> put_load(const LoadPlan& plan, const RequestImage& image, Expected& expected,
                                  process::FileDescriptor first, Tally& tally, Progress* progress) {
  const auto room = io::raise_descriptor_limit(plan.connections);
  if (!room) return room.error();
  if (room.value() < plan.connections) {
    return base::Error{
        base::ErrorCode::limit_exceeded,
        std::to_string(plan.connections) + " connections need more descriptors than `ulimit -Hn` allows"};
  }
  auto poller = Poller::make();
  if (!poller) return poller.error();
  Load load(plan, image, expected, tally, progress, poller.value());
  return load.run(std::move(first));
}

}  // namespace trivet::cli::bench
