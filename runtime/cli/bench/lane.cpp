#include "runtime/cli/bench/lane.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "runtime/cli/trace.hpp"

namespace trivet::cli::bench {
namespace {

using protocol::RecordType;

/// Starts are put together until there is so much to send.
constexpr std::size_t window = 65536;
constexpr std::size_t most_pieces = 33;

}  // namespace

Lane::Lane(std::uint32_t number, std::span<Slot> slots, const RequestImage& image)
    : number_(number), slots_(slots), image_(image), queue_(slots.size()) {
  for (std::size_t id = slots.size(); id > 0; --id) idle_.push_back(static_cast<std::uint16_t>(id));
}

void Lane::open(process::FileDescriptor socket) noexcept { socket_ = std::move(socket); }

void Lane::close() noexcept {
  socket_.reset();
  first_ = waiting_ = 0;
  in_bulk_ = false;
  out_.clear();
  decoder_ = protocol::RecordDecoder();
  end_taken_ = 0;
}

std::uint16_t Lane::take_idle() noexcept {
  const std::uint16_t id = idle_.back();
  idle_.pop_back();
  return id;
}

void Lane::give_back(std::uint16_t id) { idle_.push_back(id); }

void Lane::queue(std::uint16_t id) noexcept {
  assert(waiting_ < queue_.size());
  queue_[(first_ + waiting_++) % queue_.size()] = id;
  slot(id).sending = true;
  slot(id).begun = false;
  slot(id).bulk_sent = 0;
}

void Lane::pop() noexcept {
  first_ = (first_ + 1) % queue_.size();
  --waiting_;
  in_bulk_ = false;
}

/// Starts that fit into the window, up to one that has bulk: nothing else may come before that.
void Lane::fill(LaneEvents& events) {
  while (waiting_ != 0 && !in_bulk_ && out_.size() < window) {
    const std::uint16_t id = front();
    image_.append_start(out_, id);
    slot(id).begun = true;
    if (image_.bulk_size() != 0) {
      in_bulk_ = true;
    } else {
      pop();
      events.on_sent(number_, id);
    }
  }
}

void Lane::count(std::size_t sent, LaneEvents& events) {
  const std::size_t of_starts = std::min(sent, out_.size());
  out_.consume(of_starts);
  if (!in_bulk_) return;
  const std::uint16_t id = front();
  slot(id).bulk_sent += sent - of_starts;
  if (slot(id).bulk_sent < image_.bulk_size()) return;
  pop();
  events.on_sent(number_, id);
}

Lane::Sent Lane::send(std::uint64_t& bytes, LaneEvents& events) {
  for (;;) {
    fill(events);
    if (!has_to_send()) return Sent::all;
    std::array<iovec, most_pieces> pieces;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
    std::size_t used = 0;
    if (!out_.empty()) pieces[used++] = {out_.data(), out_.size()};
    RequestImage::Headers headers;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
    if (in_bulk_) {
      const std::uint16_t id = front();
      used += image_.gather(id, slot(id).bulk_sent, headers, std::span(pieces).subspan(used));
    }
    std::size_t wanted = 0;
    for (const iovec& piece : std::span(pieces).first(used)) wanted += piece.iov_len;
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = used;
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == ENOTCONN ? Sent::blocked : Sent::broken;
    }
    bytes += static_cast<std::uint64_t>(sent);
    count(static_cast<std::size_t>(sent), events);
    if (static_cast<std::size_t>(sent) < wanted) return Sent::blocked;
  }
}

/// What is wrong with the record that begins; empty when nothing.
std::string Lane::begin_record() {
  const protocol::RecordHeader& header = decoder_.header();
  const bool known = header.request_id >= 1 && header.request_id <= slots_.size();
  const auto type = static_cast<RecordType>(header.type);
  const bool answers = type == RecordType::standard_out || type == RecordType::standard_error ||
                       type == RecordType::end_request;
  const auto awaited = [](const Slot& of) {
    return of.begun && (of.state == Slot::State::live || of.state == Slot::State::given_up);
  };
  if (!known || !answers || !awaited(slot(header.request_id))) {
    return "a record came that answers no open request: " + record_name(header.type) + " with id " +
           std::to_string(header.request_id);
  }
  if (type == RecordType::end_request && header.content_length != end_.size()) {
    return "END_REQUEST has " + std::to_string(header.content_length) + " bytes instead of 8";
  }
  end_taken_ = 0;
  return {};
}

std::string Lane::take(base::Bytes bytes, LaneEvents& events) {
  while (is_open()) {
    const protocol::RecordStep step = decoder_.next(bytes);
    const std::uint16_t id = decoder_.header().request_id;
    const auto type = static_cast<RecordType>(decoder_.header().type);
    switch (step.kind) {
      case protocol::RecordStep::Kind::more:
        return {};
      case protocol::RecordStep::Kind::wrong_version:
        return "what came back is not FastCGI 1; it begins with \"" +
               escaped(base::as_text(bytes.first(std::min<std::size_t>(bytes.size(), 40)))) + "\"";
      case protocol::RecordStep::Kind::header:
        if (std::string problem = begin_record(); !problem.empty()) return problem;
        break;
      case protocol::RecordStep::Kind::content:
        if (type == RecordType::standard_out)
          events.on_output(number_, id, step.content);
        else if (type == RecordType::standard_error)
          events.on_error_output(step.content);
        else
          for (const std::uint8_t byte : step.content) end_[end_taken_++] = byte;
        break;
      case protocol::RecordStep::Kind::end:
        if (type == RecordType::end_request) {
          const std::uint32_t app_status = std::uint32_t{end_[0]} << 24U | std::uint32_t{end_[1]} << 16U |
                                           std::uint32_t{end_[2]} << 8U | end_[3];
          events.on_end(number_, id, app_status, end_[4]);
        }
        break;
    }
  }
  return {};
}

}  // namespace trivet::cli::bench
