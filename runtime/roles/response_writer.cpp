#include "runtime/roles/response_writer.hpp"

#include <algorithm>

#include "runtime/cgi/params.hpp"
#include "runtime/protocol/encoder.hpp"

namespace trivet::roles {
namespace {

using protocol::ProtocolStatus;
using protocol::RecordType;

constexpr std::chrono::milliseconds longest_hold{20};
/// Once the head is out, pieces below this are gathered; larger ones are worth a record of their own.
constexpr std::size_t small_piece = 4096;
constexpr std::size_t gathered = 16384;

/// A buffer of usual size keeps its block, for the next request too.
void empty(base::Buffer& buffer) noexcept {
  if (buffer.capacity() > gathered) {
    buffer.release();
  } else {
    buffer.clear();
  }
}

}  // namespace

ResponseWriter::ResponseWriter() = default;
ResponseWriter::~ResponseWriter() = default;

void ResponseWriter::reset(Peer& peer, base::Loop& loop, const base::Limits& limits,
                           std::uint16_t id) noexcept {
  peer_ = &peer;
  loop_ = &loop;
  limits_ = &limits;
  id_ = id;
  head_ = nullptr;
  held_.clear();
  more_ = nullptr;
  head_bytes_ = 0;
  declared_.reset();
  written_ = body_sent_ = 0;
  head_written_ = {};
  status_ = 0;
  state_ = State::empty;
  head_method_ = held_back_ = release_when_complete_ = in_one_record_ = broken_ = was_cut_ = incomplete_ =
      whole_with_head_ = false;
  delayed_.clear();
}

void ResponseWriter::detach() noexcept {
  peer_ = nullptr;
  timer_.cancel();
  empty(held_);
  empty(delayed_);
}

bool ResponseWriter::has_room() const noexcept {
  return peer_ == nullptr ||
         (held_.size() + delayed_.size() < limits_->window && (held_back_ || peer_->has_room()));
}

bool ResponseWriter::sends_body() const noexcept { return !head_method_ && status_ != 204 && status_ != 304; }

std::string_view ResponseWriter::begin(cgi::ResponseHead& head) {
  if (!head.has_status() && head.find("Location")) head.set_status(302);
  head_ = &head;
  status_ = head.status();
  if (const auto length = head.find("Content-Length")) declared_ = cgi::parse_length(*length);
  state_ = State::holding;
  return {};
}

std::string_view ResponseWriter::write(base::Bytes bytes) {
  if (state_ == State::ended) return {};
  if (declared_ && written_ + bytes.size() > *declared_) {
    bytes = bytes.first(static_cast<std::size_t>(*declared_ - written_));
    was_cut_ = true;
  }
  written_ += bytes.size();
  if (bytes.empty() || !sends_body() || peer_ == nullptr) return {};
  // What is held is always less than a window: so only the connection has to tell when there is room again.
  const std::size_t most = state_ == State::holding ? limits_->window : std::min(gathered, limits_->window);
  const bool small = state_ == State::holding || bytes.size() < small_piece;
  if (small && held_.size() + bytes.size() < most) {
    held_.append(bytes);
    return {};
  }
  if (state_ == State::holding) {
    if (const auto wrong = send_head(declared_); !wrong.empty()) return wrong;
  }
  send_held();
  if (held_back_) {
    protocol::append_stream(delayed_, RecordType::standard_out, id_, bytes);
  } else {
    peer_->write(id_, bytes);
  }
  body_sent_ += bytes.size();
  sent();
  return {};
}

std::string_view ResponseWriter::send_head(std::optional<std::uint64_t> length) {
  if (peer_ == nullptr) {
    state_ = State::sending;
    return {};
  }
  base::Buffer& to = out();
  const std::size_t record = protocol::begin_record(to);
  cgi::HeadRules rules;
  rules.max_bytes = limits_->head_bytes;
  rules.max_fields = limits_->head_fields;
  rules.more = more_;
  rules.body_may_follow = status_ != 204 && status_ != 304;
  rules.content_length = rules.body_may_follow ? length : std::nullopt;
  if (const auto wrong = cgi::emit(*head_, rules, to); !wrong.empty()) {
    to.truncate(record);
    return wrong;
  }
  head_bytes_ = to.size() - record;
  if (in_one_record_ && head_bytes_ + held_.size() <= protocol::max_content) {
    to.append(held_.bytes());
    body_sent_ += held_.size();
    held_.clear();
  }
  protocol::end_record(to, record, RecordType::standard_out, id_);
  state_ = State::sending;
  head_written_ = loop_->exact_now();
  sent();
  return {};
}

void ResponseWriter::sent() noexcept {
  if (!held_back_) peer_->touch();
}

void ResponseWriter::send_held() {
  if (held_.empty()) return;
  protocol::append_stream(out(), RecordType::standard_out, id_, held_.bytes());
  body_sent_ += held_.size();
  held_.clear();
  sent();
}

void ResponseWriter::flush() {
  if (state_ != State::holding && state_ != State::sending) return;
  timer_.cancel();
  if (peer_ == nullptr) return;
  if (state_ == State::holding) {
    if (!send_head(declared_).empty()) return;  // Told again, and handled, by the next write or finish.
  }
  send_held();
}

void ResponseWriter::release() {
  if (!held_back_) return;
  held_back_ = false;
  if (peer_ == nullptr || delayed_.empty()) return;
  out().append(delayed_.bytes());
  empty(delayed_);
  sent();
}

/// Nothing of the answer is written, and now all of it will be.
void ResponseWriter::is_whole() noexcept {
  if (release_when_complete_) held_back_ = false;
  whole_with_head_ = !held_back_;
}

std::string_view ResponseWriter::finish() {
  if (state_ == State::ended) return {};
  if (declared_ && sends_body() && written_ < *declared_)
    return "the body is shorter than its Content-Length";
  if (peer_ != nullptr) {
    if (state_ == State::holding) {
      is_whole();
      std::optional<std::uint64_t> length = declared_;
      if (!length && (!head_method_ || written_ != 0)) length = written_;
      if (const auto wrong = send_head(length); !wrong.empty()) return wrong;
    }
    send_held();
  }
  end(0, static_cast<std::uint8_t>(ProtocolStatus::request_complete), true);
  return {};
}

void ResponseWriter::end(std::uint32_t app_status, std::uint8_t protocol_status, bool with_stream_end) {
  timer_.cancel();
  state_ = State::ended;
  held_.clear();
  if (peer_ == nullptr) return;
  if (with_stream_end) {
    protocol::append_answer_end(out(), id_, app_status, static_cast<ProtocolStatus>(protocol_status));
  } else {
    protocol::append_end_request(out(), id_, app_status, static_cast<ProtocolStatus>(protocol_status));
  }
  sent();
  if (release_when_complete_) release();
}

void ResponseWriter::cut() {
  incomplete_ = true;
  if (peer_ != nullptr && !peer_->shared()) {
    // Alone: what is missing must not look complete, so the connection closes without an end.
    timer_.cancel();
    state_ = State::ended;
    held_.clear();
    broken_ = true;
    sent();
    return;
  }
  end(1, static_cast<std::uint8_t>(ProtocolStatus::request_complete), false);
}

void ResponseWriter::fail(int status, std::string_view allow, int retry_after, std::uint8_t protocol_status) {
  if (state_ == State::ended) return;
  if (state_ == State::sending && !held_back_) {
    cut();
    return;
  }
  delayed_.clear();  // Nothing of it has gone out: there is still time for a whole answer.
  status_ = status;
  body_sent_ = 0;
  head_written_ = loop_->exact_now();
  is_whole();
  if (peer_ != nullptr) {
    const std::size_t record = protocol::begin_record(out());
    const std::size_t content = out().size();
    std::size_t head_end = 0;
    cgi::emit_plain(status, allow, retry_after, head_method_, more_, out(), head_end);
    constexpr std::size_t own_fields = 6;
    if (more_ != nullptr &&
        (head_end > limits_->head_bytes || more_->size() + own_fields > limits_->head_fields)) {
      out().truncate(content);
      cgi::emit_plain(status, allow, retry_after, head_method_, nullptr, out(), head_end);
    }
    body_sent_ = out().size() - content - head_end;
    protocol::end_record(out(), record, RecordType::standard_out, id_);
  }
  end(0, protocol_status, true);
}

void ResponseWriter::abort(int status) {
  if (state_ == State::ended) return;
  if (state_ == State::sending && !held_back_) {
    incomplete_ = true;
    end(1, static_cast<std::uint8_t>(ProtocolStatus::request_complete), true);
    return;
  }
  fail(status, {}, 0, static_cast<std::uint8_t>(ProtocolStatus::request_complete));
}

std::string_view ResponseWriter::deny(cgi::ResponseHead& head, base::Bytes body, bool in_one_record) {
  in_one_record_ = in_one_record;
  if (const auto wrong = begin(head); !wrong.empty()) return wrong;
  if (const auto wrong = write(body); !wrong.empty()) return wrong;
  return finish();
}

void ResponseWriter::end_verdict(std::size_t record) {
  head_written_ = loop_->exact_now();
  whole_with_head_ = true;
  protocol::end_record(out(), record, RecordType::standard_out, id_);
  end(0, static_cast<std::uint8_t>(ProtocolStatus::request_complete), true);
}

void ResponseWriter::settle() {
  if (held_.empty() || timer_.armed() || state_ == State::ended || peer_ == nullptr) return;
  loop_->timers().arm(timer_, loop_->now() + longest_hold);
}

void ResponseWriter::on_held_long_enough(base::TimePoint /*now*/) { flush(); }

}  // namespace trivet::roles
