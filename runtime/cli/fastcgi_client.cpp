#include "runtime/cli/fastcgi_client.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "runtime/base/error.hpp"
#include "runtime/cli/trace.hpp"
#include "runtime/protocol/encoder.hpp"

namespace trivet::cli {
namespace {

using protocol::RecordType;

constexpr std::uint16_t request_id = 1;
constexpr std::size_t piece_size = protocol::split_content;

}  // namespace

FastcgiClient::FastcgiClient(process::FileDescriptor socket, ClientRequest request, AnswerSink& sink,
                             std::chrono::milliseconds timeout)
    : socket_(std::move(socket)),
      request_(std::move(request)),
      sink_(sink),
      timeout_(timeout),
      decoder_(request_id) {}

void FastcgiClient::fail(std::string problem) {
  if (!over_) outcome_.problem = std::move(problem);
  over_ = true;
}

void FastcgiClient::queue_start() {
  protocol::append_begin_request(out_, request_id, static_cast<std::uint16_t>(request_.role), false);
  base::Buffer pairs;
  for (const auto& [name, value] : request_.params) protocol::append_pair(pairs, name, value);
  protocol::append_stream(out_, RecordType::params, request_id, pairs.bytes());
  protocol::append_stream_end(out_, RecordType::params, request_id);
}

RecordType FastcgiClient::stream_type() const noexcept {
  return sending_ == Sending::data ? RecordType::data : RecordType::standard_in;
}

/// Data follows only when the body has ended (FastCGI 1.0, 6.4).
void FastcgiClient::end_stream() {
  protocol::append_stream_end(out_, stream_type(), request_id);
  const bool data_follows = sending_ == Sending::body && request_.role == protocol::Role::filter;
  sending_ = data_follows ? Sending::data : Sending::nothing;
}

/// Queues the next piece of what is being sent.
void FastcgiClient::refill() {
  piece_.clear();
  const auto got = source().read(piece_, piece_size);
  if (!got) {
    fail(got.error().message);
    return;
  }
  switch (got.value()) {
    case InputSource::Piece::later:
      return;
    case InputSource::Piece::bytes:
      protocol::append_stream(out_, stream_type(), request_id, piece_.bytes());
      break;
    case InputSource::Piece::end:
      end_stream();
      break;
  }
  moved_ = Clock::now();
}

void FastcgiClient::send() {
  while (!out_.empty()) {
    const base::Bytes bytes = out_.bytes();
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return;
      // The host may have answered and closed: what it said is still to be read.
      send_problem_ = base::system_error("sending failed", errno).message;
      sending_ = Sending::nothing;
      out_.clear();
      return;
    }
    sink_.on_sent(bytes.first(static_cast<std::size_t>(sent)));
    out_.consume(static_cast<std::size_t>(sent));
    moved_ = Clock::now();
  }
}

void FastcgiClient::receive() {
  std::array<std::uint8_t, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read into
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  const std::string unsent = send_problem_.empty() ? "" : " (" + send_problem_ + ")";
  if (got < 0) {
    if (errno != EINTR && errno != EAGAIN) {
      fail(base::system_error("receiving failed before the request ended", errno).message + unsent);
    }
    return;
  }
  if (got == 0) {
    fail("the connection was closed before the request ended" + unsent);
    return;
  }
  const base::Bytes bytes(buffer.data(), static_cast<std::size_t>(got));
  sink_.on_received(bytes);
  take(bytes);
  moved_ = Clock::now();  // Not before: the sink may have waited for whoever reads it.
}

/// What is wrong with what came; `rest` begins with it.
std::string FastcgiClient::fault(base::Bytes rest) const {
  const protocol::RecordHeader& header = decoder_.header();
  switch (decoder_.fault()) {
    case protocol::AnswerDecoder::Fault::wrong_version:
      return "what came back is not FastCGI 1; it begins with \"" +
             escaped(base::as_text(rest.first(std::min<std::size_t>(rest.size(), 40)))) + "\"";
    case protocol::AnswerDecoder::Fault::unexpected_record:
      return "a record came that no application sends in answer to one request: " + record_name(header.type) +
             " with id " + std::to_string(header.request_id);
    case protocol::AnswerDecoder::Fault::end_of_other_size:
      return "END_REQUEST has " + std::to_string(header.content_length) + " bytes instead of 8";
    case protocol::AnswerDecoder::Fault::none:
      break;
  }
  return {};
}

void FastcgiClient::take(base::Bytes bytes) {
  while (!over_) {
    const protocol::AnswerStep step = decoder_.next(bytes);
    switch (step.kind) {
      case protocol::AnswerStep::Kind::more:
        return;
      case protocol::AnswerStep::Kind::broken:
        fail(fault(bytes));
        return;
      case protocol::AnswerStep::Kind::output:
        if (!sink_.on_output(step.content)) over_ = true;
        break;
      case protocol::AnswerStep::Kind::error_output:
        sink_.on_error_output(step.content);
        break;
      case protocol::AnswerStep::Kind::output_end:
        break;
      case protocol::AnswerStep::Kind::ended:
        outcome_.app_status = decoder_.app_status();
        outcome_.protocol_status = decoder_.protocol_status();
        outcome_.ended = over_ = true;
        return;
    }
  }
}

/// Waits for what can be done next, and does it.
void FastcgiClient::step() {
  const bool wants_piece = sending_ != Sending::nothing && out_.size() < piece_size;
  const int wait_for = wants_piece ? source().poll_descriptor() : -1;
  if (wants_piece && wait_for < 0) refill();
  if (over_) return;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(moved_ + timeout_ - Clock::now());
  std::array<pollfd, 2> watched = {
      pollfd{socket_.get(), static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT), 0},
      pollfd{wait_for, POLLIN, 0}};
  const int ready =
      ::poll(watched.data(), watched.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
  if (ready < 0 && errno != EINTR) fail(base::system_error("waiting failed", errno).message);
  if (ready == 0) fail("no byte moved for " + std::to_string(timeout_.count()) + " ms");
  if (ready <= 0) return;
  if ((watched[0].revents & POLLOUT) != 0) send();
  if ((watched[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) receive();
  if (!over_ && watched[1].revents != 0) refill();
}

Outcome FastcgiClient::run() {
  moved_ = Clock::now();
  queue_start();
  while (!over_) step();
  return outcome_;
}

}  // namespace trivet::cli
