#include "runtime/source/application_stage.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include "runtime/protocol/encoder.hpp"
#include "runtime/source/folder_location.hpp"

namespace trivet::source {
namespace {

constexpr auto before_dialing_again = std::chrono::milliseconds(10);
/// What the host adds to a head when it writes it: a reason phrase, a length, a type.
constexpr std::size_t added_bytes = 200;
constexpr std::size_t added_fields = 3;

std::size_t less(std::size_t bound, std::size_t by) noexcept { return bound > by ? bound - by : 1; }

/// May be sent twice (RFC 9110, 9.2.2).
bool is_idempotent(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE" || method == "PUT" ||
         method == "DELETE";
}

}  // namespace

ApplicationStage::ApplicationStage(Application& source, roles::StageSink& sink, const roles::CallFacts& facts)
    : source_(source),
      sink_(sink),
      facts_(facts),
      head_(less(facts.limits->head_bytes, added_bytes), less(facts.limits->head_fields, added_fields)) {
  body_.configure(*facts.spools, facts.limits->spool_memory);
}

ApplicationStage::~ApplicationStage() { leave(false); }

// --- before anything is sent ---

void ApplicationStage::start() {
  if (source_.scripts_ && !find_script()) return;
  idempotent_ = is_idempotent(facts_.params->get(cgi::KnownParam("REQUEST_METHOD")));
  patience_.set(*facts_.loop, source_.timeout_);
  if (facts_.content_length == UINT64_MAX && !source_.stream_) {
    state_ = State::collecting;
  } else {
    ask_for_link(LinkPool::Choice::any);
  }
  settle();
}

bool ApplicationStage::find_script() {
  Script script = source_.scripts_->find(facts_.path);
  switch (script.kind) {
    case Script::Kind::found:
      break;
    case Script::Kind::folder:
      redirect_to_folder();
      return false;
    case Script::Kind::absent:
      fail(404, "there is no such script below " + source_.scripts_->root());
      return false;
    case Script::Kind::forbidden:
      fail(403, "the host's user may not look for the script below " + source_.scripts_->root());
      return false;
    case Script::Kind::broken:
      fail(500, script.why);
      return false;
  }
  const std::string& root = source_.scripts_->root();
  overrides_.emplace_back("DOCUMENT_ROOT", root);
  overrides_.emplace_back("SCRIPT_FILENAME", std::move(script.file));
  overrides_.emplace_back("SCRIPT_NAME", std::move(script.name));
  overrides_.emplace_back("PATH_TRANSLATED", script.info.empty() ? std::string() : root + script.info);
  overrides_.emplace_back("PATH_INFO", std::move(script.info));
  return true;
}

/// As a web server does for a folder that is asked for without its final slash: or relative links break.
void ApplicationStage::redirect_to_folder() {
  const std::string target = folder_location(*facts_.params, *facts_.path);
  const std::string_view method = facts_.params->get(cgi::KnownParam("REQUEST_METHOD"));
  cgi::ResponseHead* head = sink_.head(index);
  head->set_status(method == "GET" || method == "HEAD" ? 301 : 308);
  if (target.empty() || !head->set("Location", target).empty()) {
    fail(404, "the path names a folder without its final slash, and is too long to be sent back with it");
    return;
  }
  leave(false);
  sink_.on_done(index);
}

void ApplicationStage::ask_for_link(LinkPool::Choice choice) {
  state_ = State::waiting;
  const base::Loop& loop = *facts_.loop;
  LinkPool::Got got = source_.pool_.get(*facts_.loop, *this, *this, choice);
  if (got.link != nullptr) {
    connect_timer_.cancel();
    begin_exchange(std::move(got.link));
    return;
  }
  if (!got.queued && got.error != EAGAIN) {
    fail(502, "it cannot be reached: " + std::generic_category().message(got.error));
    return;
  }
  if (!connect_timer_.armed())
    facts_.loop->timers().arm(connect_timer_, loop.now() + source_.connect_timeout_);
  if (!got.queued) facts_.loop->timers().arm(dial_timer_, loop.now() + before_dialing_again);
}

void ApplicationStage::on_link_free() {
  ask_for_link(LinkPool::Choice::any);
  settle();
  sink_.on_progress(index);
}

void ApplicationStage::on_dial_again(base::TimePoint /*now*/) { on_link_free(); }

void ApplicationStage::on_connect_timeout(base::TimePoint /*now*/) {
  if (state_ == State::waiting && !dial_timer_.armed()) {
    fail(503, "all connections to it were in use for connect_timeout");
  } else {
    fail(504, "it did not take the connection within connect_timeout");
  }
  sink_.on_progress(index);
}

void ApplicationStage::begin_exchange(std::unique_ptr<Link> link) {
  link_ = std::move(link);
  state_ = State::exchanging;
  // A new connection is not closed by chance: whatever fails on it would fail again.
  may_repeat_ = link_->used_before && !was_repeated_;
  if (out_.empty()) {
    request_id_ = link_->request_id == 1 ? 2 : 1;
    protocol::append_begin_request(out_, request_id_, static_cast<std::uint16_t>(protocol::Role::responder),
                                   true);
    if (facts_.content_length == UINT64_MAX) {
      // Caddy's -1 for a chunked body is no number that an application should meet.
      const bool is_known = !source_.stream_ && body_size_ != 0;
      if (is_known || !facts_.params->get(cgi::KnownParam("CONTENT_LENGTH")).empty())
        overrides_.emplace_back("CONTENT_LENGTH", is_known ? std::to_string(body_size_) : std::string());
    }
    append_request_params(out_, request_id_, *facts_.params, overrides_);
    start_size_ = out_.size();
  }
  link_->request_id = request_id_;
  link_->decoder = protocol::AnswerDecoder(request_id_);
  if (!link_->connected) {
    facts_.loop->timers().arm(connect_timer_, facts_.loop->now() + source_.connect_timeout_);
  }
  moved();
  reading_ = true;
  link_->transport->await_readable();
  refill();
  send();
}

// --- ends ---

void ApplicationStage::on_patience_over(roles::Patience& /*which*/) {
  fail(504, "no head of an answer came within its timeout");
  sink_.on_progress(index);
}

void ApplicationStage::on_stall(base::TimePoint now) {
  const bool waits = reading_ || unsent() != 0;
  if (waits && now >= last_moved_ + *facts_.limits->stall_time) {
    fail(504, "no byte of its answer came for stall_time");
    sink_.on_progress(index);
    return;
  }
  if (!waits) moved();
  settle();
}

void ApplicationStage::fail(int status, std::string text) {
  if (state_ == State::over) return;
  tell_error_output({}, true);
  leave(false);
  sink_.on_failed(index, {status, source_.address_ + ": " + std::move(text)});
}

void ApplicationStage::leave(bool reusable) {
  state_ = State::over;
  patience_.stop();
  connect_timer_.cancel();
  dial_timer_.cancel();
  stall_timer_.cancel();
  source_.pool_.forget(*this);
  body_.clear();
  out_.release();
  sent_ = 0;
  if (link_ != nullptr) source_.pool_.give_back(std::move(link_), reusable);
}

bool ApplicationStage::waits_for_peer() const noexcept {
  if (state_ == State::collecting) return true;
  return state_ == State::exchanging && !input_ended_ && !deaf_ && unsent() == 0 && body_.empty();
}

/// After everything that happens to it: clocks are set for what it waits for now.
void ApplicationStage::settle() {
  if (state_ == State::over) return;
  if (head_.state() == cgi::HeadReader::State::complete) {
    if (facts_.limits->stall_time && !stall_timer_.armed()) {
      facts_.loop->timers().arm(stall_timer_, last_moved_ + *facts_.limits->stall_time);
    }
  } else if (waits_for_peer()) {
    patience_.pause();
  } else {
    patience_.run();
  }
}

void ApplicationStage::tell(log::Level level, std::string_view event, std::string_view what) const {
  if (!facts_.log->enabled(level)) return;
  std::string scratch;
  facts_.log->write(level, event,
                    {{"route", facts_.route},
                     {"application", source_.address_},
                     {"text", roles::redacted(*facts_.params, facts_.journal->redact, what, scratch)},
                     {"request", facts_.request_id}});
}

void ApplicationStage::tell_error_output(base::Bytes bytes, bool last) {
  const auto line = [this](std::string_view text) { tell(log::Level::warn, "the application says", text); };
  error_lines_.feed(bytes, line);
  if (last) error_lines_.finish(line);
}

}  // namespace trivet::source
