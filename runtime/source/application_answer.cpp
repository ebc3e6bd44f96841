#include <algorithm>
#include <cerrno>
#include <system_error>

#include "runtime/protocol/record.hpp"
#include "runtime/source/application_stage.hpp"

/// The way of an application's answer to the rest of the chain.
namespace trivet::source {
namespace {

using protocol::AnswerDecoder;
using protocol::AnswerStep;
using protocol::ProtocolStatus;

/// Reads in one turn while each fills the buffer.
constexpr int reads_per_turn = 4;

std::string text_of(int error) { return std::generic_category().message(error); }

std::string fault_of(const AnswerDecoder& decoder) {
  const protocol::RecordHeader& header = decoder.header();
  switch (decoder.fault()) {
    case AnswerDecoder::Fault::wrong_version:
      return "it does not speak FastCGI 1";
    case AnswerDecoder::Fault::unexpected_record:
      return "it sent a record of type " + std::to_string(header.type) + " with id " +
             std::to_string(header.request_id) + ", which is no answer to its request";
    case AnswerDecoder::Fault::end_of_other_size:
      return "its END_REQUEST has " + std::to_string(header.content_length) + " bytes instead of 8";
    case AnswerDecoder::Fault::none:
      break;
  }
  return {};
}

}  // namespace

void ApplicationStage::on_link(Link& /*link*/, Link::Event event) {
  if (event == Link::Event::writable) {
    refill();
    send();
  } else {
    read();
  }
  settle();
  sink_.on_progress(index);
}

void ApplicationStage::resume() {
  if (state_ != State::exchanging || reading_ || !sink_.has_room_after(index)) return;
  // Not read from in here: others' bytes may be in the buffer that everybody reads into.
  reading_ = true;
  moved();
  link_->transport->await_readable();
}

void ApplicationStage::read() {
  const std::span<std::uint8_t> into = source_.dialer_->read_buffer();
  bool flush = false;
  for (int i = 0; i < reads_per_turn && state_ == State::exchanging; ++i) {
    reading_ = sink_.has_room_after(index);
    if (!reading_) break;
    const Link* link = link_.get();
    const io::Transfer got = link_->transport->read(into);
    if (got.status == io::Transfer::Status::would_block) break;
    if (got.status != io::Transfer::Status::ok) {
      on_closed(got.status == io::Transfer::Status::end ? 0 : got.error);
      if (link_.get() != link) return;  // Over, or begun again.
      break;
    }
    take(into.first(got.bytes));
    flush = head_.state() == cgi::HeadReader::State::complete;
    if (got.bytes < into.size()) break;
  }
  if (state_ != State::exchanging) return;
  // What an application says it wants to be seen: it has gathered it before. An answer that has ended is out.
  if (flush) sink_.on_flush(index);
  if (state_ == State::exchanging && reading_) link_->transport->await_readable();
}

void ApplicationStage::take(base::Bytes bytes) {
  if (!answer_begun_) {
    answer_begun_ = true;
    connect_timer_.cancel();
    no_repeat();
  }
  while (state_ == State::exchanging) {
    const AnswerStep step = link_->decoder.next(bytes);
    switch (step.kind) {
      case AnswerStep::Kind::more:
        return;
      case AnswerStep::Kind::broken:
        fail(502, fault_of(link_->decoder));
        return;
      case AnswerStep::Kind::error_output:
        tell_error_output(step.content, false);
        break;
      case AnswerStep::Kind::output:
        take_output(step.content);
        break;
      case AnswerStep::Kind::output_end:
        output_ended_ = true;
        break;
      case AnswerStep::Kind::ended:
        take_end(bytes);
        return;
    }
  }
}

void ApplicationStage::take_output(base::Bytes bytes) {
  moved();
  if (output_ended_) {
    fail(502, "it sent output after the end of its output");
    return;
  }
  const bool had_head = head_.state() == cgi::HeadReader::State::complete;
  const base::Bytes body = had_head ? bytes : head_.feed(bytes);
  switch (head_.state()) {
    case cgi::HeadReader::State::reading:
      return;
    case cgi::HeadReader::State::malformed:
      fail(502, head_.problem());
      return;
    case cgi::HeadReader::State::complete:
      break;
  }
  if (!had_head) {
    patience_.stop();
    expect_body(head_.head());
    if (cgi::ResponseHead* head = sink_.head(index)) head->swap(head_.head());
  }
  missing_ -= std::min<std::uint64_t>(missing_, body.size());
  if (!body.empty()) sink_.on_output(index, body);
}

void ApplicationStage::expect_body(const cgi::ResponseHead& head) {
  const bool none_follows = head.status() == 204 || head.status() == 304 ||
                            facts_.params->get(cgi::KnownParam("REQUEST_METHOD")) == "HEAD";
  const auto length = head.find("Content-Length");
  if (length && !none_follows) missing_ = cgi::parse_length(*length).value_or(0);
}

void ApplicationStage::take_end(base::Bytes rest) {
  const std::uint32_t app_status = link_->decoder.app_status();
  const std::uint8_t protocol_status = link_->decoder.protocol_status();
  if (head_.state() != cgi::HeadReader::State::complete) {
    if (protocol_status == static_cast<std::uint8_t>(ProtocolStatus::overloaded)) {
      fail(503, "it is overloaded (FCGI_OVERLOADED)");
    } else if (protocol_status != 0) {
      fail(502, "it refused the request with protocolStatus " + std::to_string(protocol_status));
    } else {
      fail(502, "its answer ended before its head did, with appStatus " + std::to_string(app_status));
    }
    return;
  }
  if (app_status != 0) {
    tell(log::Level::warn, "the application ended with a status of its own",
         "appStatus " + std::to_string(app_status));
  }
  // With a status that says that it failed, and no end of its output: it stands for an answer that was cut.
  if ((app_status != 0 || protocol_status != 0) && !output_ended_) {
    fail(502, "it ended its output without an end");
    return;
  }
  if (missing_ != 0) {
    fail(502, "its body is " + std::to_string(missing_) + " bytes shorter than its Content-Length");
    return;
  }
  const bool all_sent = stdin_closed_ && unsent() == 0 && !deaf_;
  tell_error_output({}, true);
  leave(all_sent && link_->decoder.finish(rest));
  sink_.on_done(index);
}

void ApplicationStage::on_closed(int error) {
  if (!link_->connected) {
    const std::string why = error == 0 ? "it closed the connection" : text_of(error);
    fail(error == ETIMEDOUT ? 504 : 502, "it cannot be reached: " + why);
    return;
  }
  if (repeat()) return;
  fail(502, std::string("it closed the connection before its answer was complete") +
                (error == 0 ? "" : ": " + text_of(error)));
}

}  // namespace trivet::source
