#include <algorithm>

#include "runtime/protocol/encoder.hpp"
#include "runtime/source/application_stage.hpp"

/// The way of a request's body to the application.
namespace trivet::source {

using protocol::RecordType;
using roles::StageInput;

void ApplicationStage::keep(base::Bytes bytes) {
  switch (body_.append(bytes)) {
    case roles::InputQueue::Kept::yes:
      return;
    case roles::InputQueue::Kept::over_bound:
      fail(body_.size() + bytes.size() > facts_.limits->spool_bytes ? 413 : 503, "spool_bytes is used up");
      return;
    case roles::InputQueue::Kept::failed:
      fail(503, body_.error());
      return;
  }
}

void ApplicationStage::input(StageInput /*lane*/, base::Bytes bytes) {
  if (state_ == State::over || (deaf_ && !may_repeat_)) return;
  if (state_ == State::exchanging && body_.empty() && !deaf_) {
    protocol::append_stream(out_, RecordType::standard_in, request_id_, bytes);
    send();
  } else {
    body_size_ += bytes.size();
    keep(bytes);
  }
  settle();
}

void ApplicationStage::end_input(StageInput /*lane*/, trivet_end /*end*/) {
  if (state_ == State::over) return;
  input_ended_ = true;
  if (state_ == State::collecting) {
    ask_for_link(LinkPool::Choice::any);
  } else if (state_ == State::exchanging) {
    refill();
    send();
  }
  settle();
}

bool ApplicationStage::has_room(StageInput /*lane*/) const noexcept {
  switch (state_) {
    case State::created:
    case State::waiting:
      return false;
    case State::exchanging:
      return deaf_ ? !may_repeat_ : body_.empty() && unsent() < facts_.window;
    case State::collecting:
    case State::over:
      break;
  }
  return true;
}

/// Makes records of what is kept of the body, up to a window.
void ApplicationStage::refill() {
  if (deaf_ || stdin_closed_) return;
  while (!body_.empty() && unsent() < facts_.window) {
    const base::Bytes front = body_.front();
    if (front.empty()) {
      fail(503, body_.error());
      return;
    }
    const base::Bytes piece = front.first(std::min(front.size(), facts_.window));
    protocol::append_stream(out_, RecordType::standard_in, request_id_, piece);
    body_.pop(piece.size());
  }
  if (!body_.empty() || !input_ended_) return;
  protocol::append_stream_end(out_, RecordType::standard_in, request_id_);
  stdin_closed_ = true;
}

void ApplicationStage::send() {
  while (state_ == State::exchanging && !deaf_ && unsent() != 0) {
    const io::Transfer done = link_->transport->write(out_.bytes().subspan(sent_), {});
    switch (done.status) {
      case io::Transfer::Status::ok:
        sent(done.bytes);
        break;
      case io::Transfer::Status::would_block:
        link_->transport->await_writable();
        return;
      case io::Transfer::Status::end:
      case io::Transfer::Status::failed:
        on_send_failed(done.error);
        return;
    }
    refill();
  }
}

void ApplicationStage::sent(std::size_t bytes) {
  if (!link_->connected) {
    link_->connected = true;
    connect_timer_.cancel();
  }
  sent_ += bytes;
  moved();
  // Kept to be sent again: everything, as long as it is idempotent and does not exceed a window of the body.
  if (!may_repeat_ || !idempotent_ || sent_ > start_size_ + facts_.window) no_repeat();
}

void ApplicationStage::no_repeat() noexcept {
  may_repeat_ = false;
  out_.consume(sent_);
  sent_ = 0;
}

void ApplicationStage::on_send_failed(int error) {
  if (!link_->connected) {
    on_closed(error);
    return;
  }
  if (sent_ == 0 && may_repeat_ && repeat()) return;
  // It may have answered and closed: what it said is still to be read.
  deaf_ = true;
  if (!may_repeat_) body_.clear();
  resume();
}

/// The request once more, on a new connection; false where that is not allowed.
bool ApplicationStage::repeat() {
  if (!may_repeat_ || answer_begun_) return false;
  may_repeat_ = false;
  was_repeated_ = true;
  sent_ = 0;
  deaf_ = false;
  tell(log::Level::debug, "the request is sent again", "a kept connection was closed");
  source_.pool_.give_back(std::move(link_), false);
  ask_for_link(LinkPool::Choice::fresh);
  return true;
}

}  // namespace trivet::source
