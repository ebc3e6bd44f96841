#include "runtime/roles/request.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "runtime/protocol/encoder.hpp"
#include "runtime/protocol/name_value.hpp"

namespace trivet::roles {
namespace {

/// A parameter block of usual size stays with the request for the next one; a large one is given back.
constexpr std::size_t kept_block = 16384;
/// nginx reads a head, with the header of its record, into one page by default. A little less, to be told in
/// time.
constexpr std::size_t nginx_buffer = 4000;
constexpr std::uint32_t told_large_head = 1U << 3U;

/// The two hexadecimal digits of each byte.
constexpr auto digits_of_bytes = [] {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<char, 512> all{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    all[2 * byte] = digits[byte / 16];
    all[2 * byte + 1] = digits[byte % 16];
  }
  return all;
}();

/// As eight hexadecimal digits.
void put_digits(std::uint32_t value, char* to) noexcept {
  for (std::size_t at = 8; at > 0; at -= 2, value >>= 8U)
    std::memcpy(to + at - 2, digits_of_bytes.data() + 2 * (value & 0xffU), 2);
}

}  // namespace

Request::Request(Environment& environment) : env_(environment) {
  put_digits(env_.id_seed, id_text_.data());
  facts_.params = &params_;
  facts_.log = &env_.log;
  facts_.journal = &env_.journal;
  facts_.loop = &env_.loop;
  facts_.window = env_.limits.window;
  facts_.limits = &env_.limits;
  facts_.spools = &env_.spools;
  body_.queue.configure(env_.spools, env_.limits.spool_memory);
  data_.queue.configure(env_.spools, env_.limits.spool_memory);
}
Request::~Request() = default;

void Request::begin(Peer& peer, const protocol::BeginRequest& begin, const Origin& origin) {
  peer_ = &peer;
  origin_ = origin;
  id_ = begin.id;
  role_ = begin.role;
  keep_connection_ = begin.keep_connection;
  number_ = ++env_.requests_begun;
  state_ = State::params;
  params_refused_ = aborted_ = false;
  slice_ = begin.role == protocol::Role::authorizer ? Slice::authorizer
           : begin.role == protocol::Role::filter   ? Slice::filter
                                                    : Slice::responder;
  dialect_ = nullptr;
  route_ = nullptr;
  status_after_guards_ = 0;
  params_.reset();
  params_block_.clear();
  guards_.clear();
  method_ = {};
  // body_ and data_ are as new: let_go_if_idle() saw to that.
  body_.limit = data_.limit = UINT64_MAX;
  begun_ = last_input_ = env_.loop.now();
  stamps_ = {};
  writer_.reset(peer, env_.loop, env_.limits, id_);
  if (role_ == protocol::Role::filter) writer_.hold();
  put_digits(static_cast<std::uint32_t>(number_), id_text_.data() + 8);
  // What is the same for every request, the constructor put there.
  facts_.route = {};
  facts_.column = 0;
  facts_.request_id = {id_text_.data(), id_text_.size()};
  facts_.number = number_;
  facts_.content_length = facts_.data_length = UINT64_MAX;
  facts_.phase = TRIVET_PHASE_NONE;
  facts_.path = nullptr;
}

/// The web server's own name for the request, where the configuration says that there is one. A text that
/// would not stand in a log line, or in a header, is none.
void Request::take_id() {
  if (env_.journal.request_id.empty()) return;
  const std::string_view given = params_.get(env_.journal.request_id);
  if (names_request(given)) facts_.request_id = given;
}

// --- input ---

void Request::on_params(base::Bytes bytes) {
  if (state_ != State::params || params_refused_) return;
  if (params_block_.size() + bytes.size() > env_.limits.params_bytes) {
    params_refused_ = true;
    env_.tally.limit_hit();
    refuse(431, "the parameters are larger than params_bytes");
    return;
  }
  params_block_.append(bytes);
}

void Request::on_params_end() {
  last_input_ = env_.loop.now();
  if (state_ != State::params) return;
  if (!peer_->has_room()) {
    state_ = State::parked;
    return;
  }
  start();
  settle();
}

void Request::on_body(base::Bytes bytes) {
  last_input_ = env_.loop.now();
  receive(body_, bytes);
}
void Request::on_data(base::Bytes bytes) {
  last_input_ = env_.loop.now();
  receive(data_, bytes);
}

void Request::on_body_end() {
  last_input_ = env_.loop.now();
  receive_end(body_);
}
void Request::on_data_end() {
  last_input_ = env_.loop.now();
  receive_end(data_);
}

void Request::receive(Inlet& inlet, base::Bytes bytes) {
  if (state_ == State::over || inlet.ended) return;
  const base::Bytes kept = inlet.count(bytes);
  if (inlet.over_limit()) {
    env_.tally.limit_hit();
    refuse(413,
           &inlet == &body_ ? "the body is larger than body_bytes" : "the data is larger than data_bytes");
    return;
  }
  if (kept.empty() || (state_ >= State::running && !inlet.wanted)) return;
  if (state_ == State::running && !inside_ && inlet.queue.empty() && inlet_has_room(inlet)) {
    inside_ = true;
    pass_on(inlet, kept);
    inside_ = false;
    pump();
    settle();
    return;
  }
  if (slice_ == Slice::authorizer) return;
  switch (inlet.queue.append(kept)) {
    case InputQueue::Kept::yes:
      break;
    case InputQueue::Kept::over_bound:
      env_.tally.limit_hit();
      refuse(inlet.queue.size() + kept.size() > env_.limits.spool_bytes ? 413 : 503,
             "spool_bytes is used up");
      return;
    case InputQueue::Kept::failed: {
      const std::string why = inlet.queue.error();
      refuse(503, why);
      return;
    }
  }
  settle();
}

void Request::receive_end(Inlet& inlet) {
  if (inlet.ended) return;
  inlet.ended = true;
  if (&inlet == &body_) {
    writer_.release();
    if (writer_.ended() && state_ != State::over) {
      answered();
      return;
    }
  }
  if (state_ == State::running) pump();
  settle();
}

bool Request::inlet_has_room(const Inlet& inlet) const noexcept {
  if (&inlet == &body_ && role_ == protocol::Role::filter) return chain_.body_has_room();
  return chain_.has_room(slice_ == Slice::filter ? StageInput::data : StageInput::body);
}

void Request::pass_on(Inlet& inlet, base::Bytes bytes) {
  if (&inlet == &body_ && role_ == protocol::Role::filter) {
    chain_.body_input(bytes);
  } else {
    chain_.input(slice_ == Slice::filter ? StageInput::data : StageInput::body, bytes);
  }
}

bool Request::sees_short(const Inlet& inlet) const noexcept {
  const bool to_filter = &inlet == &body_ && role_ == protocol::Role::filter;
  const bool to_source = !to_filter && slice_ == Slice::responder && route_->has_source();
  if (to_source) return route_->source != nullptr && route_->source->wants_short();
  return route_->filters[to_filter ? chain_.body_filter() : 0]->wants_short();
}

/// Gives stages what they take of one stream; true when they took something.
bool Request::pump_inlet(Inlet& inlet) {
  bool passed = false;
  while (state_ == State::running && inlet.wanted && !inlet.queue.empty() && inlet_has_room(inlet)) {
    const base::Bytes front = inlet.queue.front();
    if (front.empty()) {
      const std::string why = inlet.queue.error();
      refuse(503, why);
      return true;
    }
    const base::Bytes piece = front.first(std::min(front.size(), env_.limits.window));
    pass_on(inlet, piece);
    inlet.queue.pop(piece.size());
    passed = true;
  }
  if (state_ != State::running || !inlet.wanted || !inlet.ended || inlet.end_told || !inlet.queue.empty())
    return passed;
  const bool body_of_filter = &inlet == &body_ && role_ == protocol::Role::filter;
  if (body_of_filter && !chain_.body_has_room()) return passed;
  const trivet_end end = inlet.end();
  if (end == TRIVET_END_SHORT && !sees_short(inlet)) {
    refuse(400, "the web server sent fewer bytes than it announced");
    return true;
  }
  if (end == TRIVET_END_LONG)
    tell(log::Level::warn, "surplus input was dropped", 0, "more bytes than announced");
  inlet.end_told = true;
  if (body_of_filter) {
    chain_.end_body(end);
  } else {
    chain_.end_input(slice_ == Slice::filter ? StageInput::data : StageInput::body, end);
  }
  return true;
}

void Request::pump() {
  if (inside_ || state_ != State::running) return;
  inside_ = true;
  for (bool more = true; more && state_ == State::running;) {
    chain_.resume();
    const bool body_passed = pump_inlet(body_);
    const bool data_passed = pump_inlet(data_);
    // A filter behind others that is given FCGI_STDIN is started by what they make of the data; while it is
    // given its body, they wait for it.
    more = (body_passed || data_passed) && chain_.body_is_for_a_later_filter();
  }
  inside_ = false;
}

std::uint64_t Request::kept() const noexcept {
  if (state_ == State::over) return 0;
  return body_.queue.size() + data_.queue.size() + chain_.kept();
}

bool Request::needs_input() const noexcept {
  if (input_complete()) return false;
  return state_ == State::parked || !writer_.has_room() || waits_for_peer();
}

void Request::resume() {
  if (state_ == State::parked) {
    start();
  } else {
    pump();
  }
  settle();
}

// --- ends ---

void Request::on_aborted() {
  if (state_ == State::over) return;
  tell(log::Level::info, "aborted by the web server", 0, {});
  aborted_ = true;
  writer_.abort(status_in_slice(400, slice_));
  answered();
  hold_no_longer();
}

void Request::on_violation(std::string_view what) {
  if (state_ == State::over) return;
  refuse(400, what);
  hold_no_longer();
}

void Request::time_out(std::string_view what) {
  if (state_ == State::over) return;
  env_.tally.limit_hit();
  refuse(408, what);
  hold_no_longer();
}

void Request::refuse_overload(std::string_view why) {
  env_.tally.limit_hit();
  refuse(503, why, {}, static_cast<std::uint8_t>(protocol::ProtocolStatus::overloaded));
  hold_no_longer();
}

void Request::refuse_stopping() {
  refuse(503, "the host is stopping");
  hold_no_longer();
}

/// The end of FCGI_STDIN, which a filter's answer waits for, will not come. Only after the answer was made:
/// what the filter has said so far has not gone out, and is replaced by it.
void Request::hold_no_longer() {
  if (state_ == State::over || !writer_.held_back()) return;
  writer_.release();
  answered();
}

void Request::refuse(int status, std::string_view reason, std::string_view allow,
                     std::uint8_t protocol_status) {
  if (state_ == State::over) return;
  const int shown = status_in_slice(status, slice_);
  tell(shown >= 500 ? log::Level::error : log::Level::warn,
       writer_.head_sent() ? "the response was cut" : "refused", shown, reason);
  if (slice_ == Slice::authorizer)
    env_.tally.decided(route_, shown >= 500 ? Tally::Decision::error : Tally::Decision::deny);
  writer_.fail(translated(shown), allow, shown == 503 ? 1 : 0, protocol_status);
  answered();
}

/// Of a refusal of the host's own, in the dialect of who asks.
int Request::translated(int status) {
  if (dialect_ == nullptr || dialect_->shown(status) == status) return status;
  // Nobody was let in: nothing that the guards collected goes out any more.
  cgi::ResponseHead& more = guards_.collected().head();
  more.clear();
  more.set_status(status);
  cgi::translate_denial(*dialect_, more);
  writer_.add_to_head(&more);
  return more.status();
}

void Request::answered() {
  if (!writer_.ended()) return;
  chain_.cancel();
  guards_.cancel();
  patience_.stop();
  if (writer_.held_back()) {
    // A filter's answer waits for the end of FCGI_STDIN (FastCGI 1.0, 6.4); what still comes is dropped.
    state_ = State::running;
    body_.wanted = data_.wanted = false;
    body_.queue.clear();
    data_.queue.clear();
    return;
  }
  state_ = State::over;
  const base::TimePoint head = writer_.head_written();
  env_.tally.response(route_, writer_.status(), head > begun_ ? head - begun_ : base::Duration{});
  if (env_.journal.access != nullptr)
    tell_access(aborted_ ? End::aborted : writer_.incomplete() ? End::cut : End::complete);
  if (writer_.head_bytes() > nginx_buffer) {
    tell_once(told_large_head, "a head is larger than nginx takes by default", "see fastcgi_buffer_size",
              log::Level::warn);
  }
  if (writer_.was_cut())
    tell(log::Level::warn, "the body was cut", 0, "it is longer than its Content-Length");
  if (peer_ != nullptr) peer_->on_request_ended(*this, writer_.broken());
}

void Request::detach() {
  const bool is_cut_off = state_ != State::over;
  if (is_cut_off && state_ != State::idle && env_.journal.access != nullptr) tell_access(End::gone);
  peer_ = nullptr;
  state_ = State::over;
  writer_.detach();
  if (is_cut_off) {  // Else answered() did this.
    chain_.cancel();
    guards_.cancel();
    patience_.stop();
  }
  let_go_if_idle();
}

bool Request::busy() const noexcept { return chain_.busy() || guards_.busy(); }

void Request::let_go_if_idle() {
  if (peer_ != nullptr || state_ == State::idle || busy()) return;
  state_ = State::idle;
  chain_.clear();
  body_.reset();
  data_.reset();
  if (params_block_.capacity() > kept_block) {
    params_block_.release();
    std::string().swap(admission_.reason);  // Which may name a parameter as large.
  }
  env_.recycle(this);
}

// --- what stages, guards and clocks tell ---

void Request::on_chain_failed(StageFailure failure) { refuse(failure.status, failure.text); }

void Request::on_chain_ended() { answered(); }

void Request::on_chain_progress() {
  if (peer_ == nullptr) {
    let_go_if_idle();
    return;
  }
  pump();
  settle();
  if (peer_ != nullptr) peer_->touch();
}

void Request::on_guards_done() {
  if (state_ == State::guards) judge_guards();
  settle();
  if (peer_ != nullptr) peer_->touch();
}

void Request::on_guards_idle() {
  if (peer_ == nullptr) let_go_if_idle();
}

void Request::on_patience_over(Patience& /*which*/) {
  refuse(504, "the route's timeout is over");
  if (peer_ != nullptr) peer_->touch();
}

bool Request::waits_for_peer() const noexcept {
  if (state_ != State::running || input_complete()) return false;
  // The body of a filter behind others waits until what they make of the data starts that filter.
  const bool body_waits = body_.queue.empty() || chain_.body_waits_for_data();
  return body_waits && data_.queue.empty() && chain_.waits_for_peer();
}

/// After everything that happens to it: clocks are set for what it waits for now.
void Request::settle() {
  if (state_ == State::over || state_ == State::idle || state_ == State::params || state_ == State::parked)
    return;
  writer_.settle();
  if (writer_.head_sent()) {
    patience_.stop();
  } else if (waits_for_peer()) {
    patience_.pause();
  } else if (state_ == State::guards || state_ == State::running) {
    patience_.run();
  }
}

std::string_view Request::route_name() const noexcept {
  return route_ == nullptr ? std::string_view() : std::string_view(route_->config.name);
}

void Request::tell(log::Level level, std::string_view event, int status, std::string_view reason) {
  if (!env_.log.enabled(level)) return;
  std::array<char, 12> number{};
  const auto end = std::to_chars(number.data(), number.data() + number.size(), status).ptr;
  const std::string_view status_text(number.data(),
                                     status == 0 ? 0 : static_cast<std::size_t>(end - number.data()));
  const auto clean = [this](std::string_view text, std::string& scratch) {
    return redacted(params_, env_.journal.redact, text, scratch);
  };
  std::string scratch[3];  // NOLINT(*-avoid-c-arrays)
  env_.log.write(level, event,
                 {{"route", route_name()},
                  {"status", status_text},
                  {"reason", clean(reason, scratch[0])},
                  {"request", facts_.request_id},
                  {"client", clean(params_.get(cgi::KnownParam("REMOTE_ADDR")), scratch[1])},
                  {"peer", peer_ == nullptr ? std::string_view() : peer_->name()},
                  {"uri", clean(params_.get(cgi::KnownParam("REQUEST_URI")), scratch[2])}});
}

void Request::tell_once(std::uint32_t bit, std::string_view event, std::string_view reason,
                        log::Level level) {
  if (route_ == nullptr || (route_->told & bit) != 0) return;
  route_->told |= bit;
  tell(level, event, 0, reason);
}

}  // namespace trivet::roles
