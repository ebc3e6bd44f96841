#include "runtime/host/connection.hpp"
#include "runtime/host/parcel.hpp"

namespace trivet::host {

bool Connection::can_leave() const noexcept {
  return state_ == State::serving && !in_turn_ && !posted_ && !close_when_done_ && requests_.empty() &&
         out_.empty() && demultiplexer_.can_move();
}

/// No byte can be lost between deciding to and leaving, whatever the loop already knows of the socket: bytes
/// leave the kernel in read() alone, which hands all of them to the demultiplexer within the turn.
Connection::Leaving Connection::leave() {
  clock_.cancel();
  peer_reads_.cancel();
  Leaving leaving{transport_->release(), demultiplexer_.take_kept()};
  state_ = State::dead;
  transport_.reset();
  return leaving;
}

void Connection::freeze() {
  // One that is at rest leaves as it is.
  if (state_ == State::serving && !close_when_done_ && !requests_.empty())
    demultiplexer_.freeze(Parcel::most_payload);
}

void Connection::thaw() {
  if (demultiplexer_.is_frozen()) judge(demultiplexer_.thaw());
}

void Connection::take_over(std::unique_ptr<io::Transport> transport, base::Bytes payload) {
  transport_ = std::move(transport);
  last_read_ = last_sent_ = reading_since_ = context_.environment.loop.now();
  chance_ = Chance::past;
  unread_input_ = true;  // Of a request that was answered early, perhaps: only the other worker knew.
  begin_turn();
  if (!payload.empty()) take(payload);
  if (should_read()) read();
  end_turn();
}

}  // namespace trivet::host
