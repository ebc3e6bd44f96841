#include "runtime/host/connection.hpp"

#include "runtime/protocol/record_pieces.hpp"

namespace trivet::host {
namespace {

using io::Transfer;

/// Reads in one turn while each fills the buffer: an upload costs less waiting, others are not starved.
constexpr int reads_per_turn = 4;
/// Rounds of producing and sending in one turn.
constexpr int rounds_per_turn = 16;
/// What a peer that reads none of its answers may make the host queue by sending.
constexpr std::size_t flood_bound = 1U << 20U;
/// From here on a system call costs less than a copy.
constexpr std::size_t worth_a_call = 32U * 1024U;
/// A peer that reads takes something of what waits within that time; one that has not may write first.
constexpr auto peer_patience = std::chrono::milliseconds(1);
/// An output buffer of usual size is passed on for the next turn; a larger one is given back.
constexpr std::size_t kept_buffer = 256U * 1024U;

}  // namespace

Connection::Connection(Owner& owner, ConnectionContext& context, std::string peer,
                       const roles::Request::Origin& origin)
    : owner_(owner),
      context_(context),
      peer_(std::move(peer)),
      origin_(origin),
      demultiplexer_(*this, out_, context.capacity) {}

Connection::~Connection() {
  for (roles::Request* request : requests_) request->detach();
  for (roles::Request* request : ended_) request->detach();
}

// --- turns ---

void Connection::begin_turn() noexcept {
  in_turn_ = true;
  if (out_.capacity() == 0) out_.swap(context_.spare_out);
}

void Connection::end_turn() {
  if (state_ != State::dead) produce_and_send();
  if (has_ended()) reap();
  if (state_ != State::dead) settle();
  if (has_ended()) reap();
  if (out_.empty()) {
    if (context_.spare_out.capacity() == 0 && out_.capacity() <= kept_buffer) {
      out_.swap(context_.spare_out);
    } else {
      out_.release();
    }
  }
  in_turn_ = false;
  if (state_ == State::dead) {
    if (!posted_) owner_.on_connection_dead(*this);
  } else if (again_) {
    again_ = false;
    touch();
  } else if ((chance_ == Chance::due || context_.retiring) && can_leave()) {
    chance_ = Chance::past;
    owner_.on_connection_idle(*this);
  }
}

void Connection::start(std::unique_ptr<io::Transport> transport) {
  transport_ = std::move(transport);
  last_read_ = last_sent_ = reading_since_ = context_.environment.loop.now();
  begin_turn();
  read();
  end_turn();
}

void Connection::on_readable() {
  begin_turn();
  read();
  end_turn();
}

void Connection::on_writable() {
  begin_turn();
  send_blocked_ = writes_first_ = false;
  end_turn();
}

void Connection::on_hangup() {
  begin_turn();
  die();
  end_turn();
}

void Connection::touch() noexcept {
  if (in_turn_ || posted_) return;
  posted_ = true;
  context_.environment.loop.post(*this);
}

void Connection::run() {
  posted_ = false;
  begin_turn();
  end_turn();
}

void Connection::stop() {
  begin_turn();
  thaw();
  close_when_done_ = true;
  const std::vector<roles::Request*> open = requests_;  // Refusing one takes it from the list.
  for (roles::Request* request : open) {
    if (!request->params_ended()) request->refuse_stopping();
  }
  if (requests_.empty() && out_.empty()) die();
  end_turn();
}

void Connection::abandon() {
  begin_turn();
  die();
  end_turn();
}

void Connection::die() noexcept {
  state_ = State::dead;
  clock_.cancel();
  peer_reads_.cancel();
  transport_.reset();
  out_.clear();
  for (roles::Request* request : requests_) ended_.push_back(request);
  requests_.clear();
}

bool Connection::is_idle() const noexcept {
  return state_ == State::serving && requests_.empty() && out_.empty() && demultiplexer_.at_record_boundary();
}

// --- input ---

void Connection::read() {
  for (int i = 0; i < reads_per_turn && state_ != State::dead; ++i) {
    std::span<std::uint8_t> into = context_.read_buffer;
    if (demultiplexer_.is_frozen()) {
      into = into.first(std::min(into.size(), demultiplexer_.room()));
      if (into.empty()) return;
    }
    const Transfer got = transport_->read(into);
    switch (got.status) {
      case Transfer::Status::would_block:
        return;
      case Transfer::Status::failed:
        die();
        return;
      case Transfer::Status::end:
        on_input_end();
        return;
      case Transfer::Status::ok:
        break;
    }
    last_read_ = context_.environment.loop.now();
    process::add(context_.counters.bytes_in, got.bytes);
    round_ = 0;
    take(into.first(got.bytes));
    // Where output waits, the peer may first want to read: what is read before that has to be kept.
    if (got.bytes < into.size() || send_blocked_ || !should_read()) return;
  }
}

void Connection::take(base::Bytes bytes) {
  if (state_ == State::draining || state_ == State::finishing) {
    drained_ += bytes.size();
    if (drained_ > limits().drain_bytes) die();
    return;
  }
  if (state_ != State::serving) return;
  const std::size_t before = out_.size();
  const std::string_view violation = demultiplexer_.feed(bytes);
  if (before >= limits().window && out_.size() > before) {
    flood_ += out_.size() - before;
    if (flood_ > flood_bound) {
      context_.environment.log.warn("connection closed",
                                    {{"reason", "the peer reads none of its answers"}, {"peer", peer_}});
      process::add(context_.counters.limits_hit);
      die();
      return;
    }
  }
  judge(violation);
  if (!demultiplexer_.is_frozen() || demultiplexer_.room() != 0) return;
  // What is complete ends without more, and then the connection leaves; until then the socket keeps the rest.
  const bool complete = std::all_of(requests_.begin(), requests_.end(),
                                    [](const roles::Request* each) { return each->input_complete(); });
  if (!complete) thaw();
}

void Connection::judge(std::string_view violation) {
  if (violation.empty() || state_ != State::serving) return;
  context_.environment.log.warn("connection closed", {{"reason", violation}, {"peer", peer_}});
  // What was complete before the peer went wrong keeps its answer.
  state_ = State::finishing;
  close_when_done_ = true;
  unread_input_ = true;
  drop_incomplete();
}

void Connection::on_input_end() {
  input_ended_ = true;
  if (state_ == State::draining || transport_->peer_gone()) {
    die();
    return;
  }
  thaw();
  state_ = State::finishing;
  close_when_done_ = true;
  drop_incomplete();
}

/// Requests whose input cannot come any more: cancelled, nothing is sent.
void Connection::drop_incomplete() {
  for (std::size_t i = 0; i < requests_.size();) {
    roles::Request* request = requests_[i];
    if (request->input_complete()) {
      ++i;
      continue;
    }
    requests_[i] = requests_.back();
    requests_.pop_back();
    ended_.push_back(request);
  }
}

protocol::RequestInput* Connection::on_begin(const protocol::BeginRequest& begin) {
  if (state_ != State::serving) return nullptr;
  if (!ended_.empty()) let_go_of_complete();
  roles::Request* request = context_.environment.acquire();
  clock_stale_ = true;
  request->begin(*this, begin, origin_);
  if (requests_.size() >= limits().concurrent_per_connection) {
    // Over at once, so its id is free at once: reap() must not free it again, others may have it by then.
    request->refuse_overload("concurrent_per_connection requests are open on the connection");
    request->detach();
    unread_input_ = true;
    return nullptr;
  }
  requests_.push_back(request);
  return request;
}

void Connection::on_unknown_role(std::uint16_t /*id*/, bool keep_connection) {
  if (!keep_connection) {
    close_when_done_ = true;
    unread_input_ = true;
  }
}

void Connection::on_request_ended(roles::Request& request, bool broken) {
  if (!request.keep_connection() || broken) {
    close_when_done_ = true;
  } else if (chance_ == Chance::coming) {
    chance_ = Chance::due;
  }
  // Its id was not ended: whatever is answered under it would count as more of its answer.
  if (broken && state_ == State::serving) state_ = State::finishing;
  const auto found = std::find(requests_.begin(), requests_.end(), &request);
  if (found != requests_.end()) {
    *found = requests_.back();
    requests_.pop_back();
    ended_.push_back(&request);
  }
  touch();
}

// --- output ---

bool Connection::has_room() const noexcept {
  if (out_.size() + round_ < limits().window && !send_failed_) return true;
  room_wanted_ = true;
  return false;
}

/// Whether so much content is sent from where it lies.
bool Connection::sends_at_once(std::size_t content) const noexcept {
  if (content == 0 || !in_turn_ || send_blocked_ || state_ == State::dead) return false;
  return content >= worth_a_call || out_.size() + content >= limits().window;
}

void Connection::write(std::uint16_t id, base::Bytes content) {
  constexpr auto type = protocol::RecordType::standard_out;
  static_assert(protocol::RecordPieces::most_pieces <= io::Transport::most_pieces);
  while (!send_failed_ && sends_at_once(content.size())) {
    const protocol::RecordPieces records(type, id, content);
    const std::size_t waiting = out_.size();
    const Transfer sent = transport_->write(out_.bytes(), records.pieces());
    if (!account(sent, waiting + records.size())) {
      send_failed_ = true;  // The request is in the middle of something.
      break;
    }
    const std::size_t of_waiting = std::min(sent.bytes, waiting);
    out_.consume(of_waiting);
    records.append_rest(sent.bytes - of_waiting, out_);
    round_ += sent.bytes - of_waiting;
    content = content.subspan(records.content_size());
  }
  if (!send_failed_) protocol::append_stream(out_, type, id, content);
}

/// Lets blocked requests go on while there is room, and sends what they and the input of the turn made.
void Connection::produce_and_send() {
  for (int round = 0; round < rounds_per_turn; ++round) {
    round_ = 0;
    // What is produced goes out together with what waits. Also while the socket takes nothing: a full window
    // is what tells a request that its output is blocked.
    if (room_wanted_ && has_room()) {
      room_wanted_ = false;
      resume_requests();
    }
    if (send_failed_) die();
    if (state_ == State::dead || !send()) return;
    round_ = 0;
    if (!room_wanted_ || !has_room()) return;
  }
  // More to do, but others first.
  again_ = true;
}

/// Sends what waits, as far as the socket takes it. False where the peer is gone.
bool Connection::send() {
  if (send_blocked_ || out_.empty()) return true;
  const Transfer sent = transport_->write(out_.bytes(), {});
  if (!account(sent, out_.size())) {
    die();
    return false;
  }
  out_.consume(sent.bytes);
  return true;
}

/// Notes what one write did; false where the peer is gone.
bool Connection::account(const Transfer& sent, std::size_t asked) noexcept {
  switch (sent.status) {
    case Transfer::Status::ok:
      last_sent_ = context_.environment.loop.now();
      process::add(context_.counters.bytes_out, sent.bytes);
      break;
    case Transfer::Status::would_block:
      break;
    case Transfer::Status::end:
    case Transfer::Status::failed:
      return false;
  }
  if (sent.bytes < asked) {
    send_blocked_ = true;
    transport_->await_writable();
  } else {
    flood_ = 0;
  }
  return true;
}

void Connection::resume_requests() {
  // A request that is resumed may end, and is then not in the list any more.
  for (std::size_t i = 0; i < requests_.size() && has_room();) {
    roles::Request* request = requests_[i];
    request->resume();
    if (i < requests_.size() && requests_[i] == request) ++i;
  }
  // Who was first has had its turn: the next time others are.
  if (requests_.size() > 1) std::rotate(requests_.begin(), requests_.begin() + 1, requests_.end());
}

/// Before the next request begins: of all that one read brings, each finds the memory of the one before it,
/// which is still in the processor's caches. Their ids are free when those of others are.
void Connection::let_go_of_complete() {
  while (!ended_.empty() && demultiplexer_.forget(ended_.back()->id())) {
    roles::Request* const request = ended_.back();
    ended_.pop_back();
    ended_ids_.push_back(request->id());
    request->detach();
  }
}

/// Lets go of what has ended. Its id is free only now: the web server cannot use it again before it has seen
/// the end, and until then the rest of its input, if it came in this turn, says whether any is still to come.
void Connection::reap() {
  if (requests_.empty()) {
    demultiplexer_.release_all();
  } else {
    for (const std::uint16_t id : ended_ids_) demultiplexer_.release(id);
    for (const roles::Request* request : ended_) demultiplexer_.release(request->id());
  }
  ended_ids_.clear();
  for (roles::Request* request : ended_) {
    if (!request->input_complete()) unread_input_ = true;
    request->detach();
  }
  ended_.clear();
  constexpr std::size_t usual = 8;
  if (requests_.empty() && requests_.capacity() > usual) {
    requests_.shrink_to_fit();
    ended_.shrink_to_fit();
  }
  constexpr std::size_t usual_ids = 512;
  if (ended_ids_.capacity() > usual_ids) ended_ids_.shrink_to_fit();
}

// --- what is next ---

void Connection::settle() {
  if (requests_.empty() && out_.empty() && (state_ == State::finishing || close_when_done_)) {
    if (demultiplexer_.is_frozen()) {
      // No other worker answers what it kept any more.
      thaw();
      again_ = true;
    } else {
      finish();
    }
    if (state_ == State::dead) return;
  }
  decide_reading();
  set_clock();
}

/// Everything is answered and sent.
void Connection::finish() {
  if (state_ == State::draining) return;
  if (input_ended_ || !(unread_input_ || !demultiplexer_.at_record_boundary())) {
    die();
    return;
  }
  // Closing now, with bytes unread, would make a reset of the answer that the peer has not read yet.
  state_ = State::draining;
  clock_stale_ = true;
  transport_->shutdown_write();
  last_read_ = context_.environment.loop.now();
}

bool Connection::should_read() const noexcept {
  switch (state_) {
    case State::draining:
      return true;
    case State::finishing:
      // A peer that writes the whole body before it reads takes nothing of what is left to send until then.
      return unread_input_ && !input_ended_;
    case State::dead:
      return false;
    case State::serving:
      break;
  }
  if (demultiplexer_.is_frozen() && demultiplexer_.room() == 0) return false;
  // A peer that still writes the body of a request that was answered early reads the answer only after that.
  if (requests_.empty()) return has_room() || unread_input_;
  if (requests_.size() > 1) return true;
  if (waits_for_peer()) return false;
  const roles::Request& only = *requests_.front();
  // Above the window what is read goes into the spool; what is not waits in the socket's own buffer.
  return only.kept() < limits().window || only.needs_input();
}

void Connection::decide_reading() {
  if (should_read()) {
    if (!reading_) {
      reading_since_ = context_.environment.loop.now();
      clock_stale_ = true;
    }
    reading_ = true;
    transport_->await_readable();
  } else {
    reading_ = false;
    transport_->pause_reading();
    if (waits_for_peer() && !peer_reads_.armed())
      context_.environment.loop.timers().arm(peer_reads_, last_sent_ + peer_patience);
  }
}

/// Output is blocked, and the peer has more to write. Mostly it reads, soon: whatever it wrote until then
/// would have to be kept, and each piece would cost a turn. Some write all they have before they read.
bool Connection::waits_for_peer() const noexcept {
  return send_blocked_ && !writes_first_ && state_ == State::serving && requests_.size() == 1 &&
         !requests_.front()->input_complete();
}

void Connection::on_peer_reads(base::TimePoint now) {
  if (!waits_for_peer()) return;
  begin_turn();
  writes_first_ = now >= last_sent_ + peer_patience;  // Nothing has moved.
  end_turn();
}

base::TimePoint Connection::input_since(const roles::Request& request) const noexcept {
  return std::max(request.last_input(), reading_since_);
}

base::TimePoint Connection::next_deadline() const noexcept {
  base::TimePoint next = base::TimePoint::max();
  const base::Limits& bounds = limits();
  const auto consider = [&](base::TimePoint since, const std::optional<std::chrono::milliseconds>& time) {
    if (time) next = std::min(next, since + *time);
  };
  if (state_ == State::draining) {
    consider(last_read_, bounds.stall_time);
    return next;
  }
  if (!out_.empty()) consider(last_sent_, bounds.stall_time);
  if (!reading_ || state_ != State::serving) return next;
  for (const roles::Request* request : requests_) {
    if (!request->params_ended()) {
      consider(request->begun(), bounds.header_time);
    } else if (!request->input_complete()) {
      consider(input_since(*request), bounds.stall_time);
    }
  }
  if (requests_.empty() && !demultiplexer_.is_frozen()) {
    consider(last_read_, demultiplexer_.at_record_boundary() ? bounds.idle_time : bounds.header_time);
  }
  return next;
}

void Connection::set_clock() {
  // The exact deadline is computed when the clock rings; until then it may only be too early. In the usual
  // case nothing is awaited that could be late.
  if (clock_.armed()) return;
  const bool idle = state_ == State::serving && requests_.empty() && out_.empty();
  if (idle ? !limits().idle_time && demultiplexer_.at_record_boundary() : out_.empty() && !clock_stale_)
    return;
  clock_stale_ = false;
  const base::TimePoint next = next_deadline();
  if (next != base::TimePoint::max()) context_.environment.loop.timers().arm(clock_, next);
}

void Connection::on_clock(base::TimePoint now) {
  begin_turn();
  clock_stale_ = true;
  const base::Limits& bounds = limits();
  const auto late = [&](base::TimePoint since, const std::optional<std::chrono::milliseconds>& time) {
    return time && now >= since + *time;
  };
  const bool draining = state_ == State::draining;
  if (draining ? late(last_read_, bounds.stall_time) : !out_.empty() && late(last_sent_, bounds.stall_time)) {
    if (!draining) {
      context_.environment.log.warn("connection closed",
                                    {{"reason", "the peer took no bytes for stall_time"}, {"peer", peer_}});
      process::add(context_.counters.limits_hit);
    }
    die();
  } else if (reading_ && state_ == State::serving) {
    const std::vector<roles::Request*> open = requests_;  // Timing one out takes it from the list.
    for (roles::Request* request : open) {
      if (!request->params_ended()) {
        if (late(request->begun(), bounds.header_time))
          request->time_out("the parameters took longer than header_time");
      } else if (!request->input_complete() && late(input_since(*request), bounds.stall_time)) {
        request->time_out("the web server sent nothing for stall_time");
      }
    }
    if (open.empty() && !demultiplexer_.is_frozen()) {
      const bool whole = demultiplexer_.at_record_boundary();
      if (late(last_read_, whole ? bounds.idle_time : bounds.header_time)) die();
    }
  }
  end_turn();
}

}  // namespace trivet::host
