#include "runtime/cli/fastcgi_client.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "runtime/cli/trace.hpp"
#include "runtime/protocol/encoder.hpp"

namespace trivet::cli {
namespace {

using protocol::RecordType;

constexpr std::uint16_t request_id = 1;

base::Result<int> connected(int family, const sockaddr* address, socklen_t size, const std::string& where) {
  const int made = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) return base::system_error("no socket", errno);
  if (::connect(made, address, size) != 0) {
    const int error = errno;
    ::close(made);
    return base::system_error(where + " is not reachable", error);
  }
  ::fcntl(made, F_SETFL, ::fcntl(made, F_GETFL) | O_NONBLOCK);
  if (family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return made;
}

}  // namespace

base::Result<int> connect_to(const config::Address& address) {
  if (const auto* local = std::get_if<config::UnixAddress>(&address)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (local->path.size() >= sizeof name.sun_path) {
      return base::Error{base::ErrorCode::system_failure, "the path of the socket is longer than 107 bytes"};
    }
    std::memcpy(name.sun_path, local->path.data(), local->path.size());
    return connected(AF_UNIX, reinterpret_cast<const sockaddr*>(&name), sizeof name,
                     "unix:" + local->path);  // NOLINT
  }
  const auto* tcp = std::get_if<config::TcpAddress>(&address);
  if (tcp == nullptr) {
    return base::Error{base::ErrorCode::system_failure, "a call goes to unix:PATH or tcp:HOST:PORT"};
  }
  const std::string where = "tcp:" + tcp->host + ":" + std::to_string(tcp->port);
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET6, tcp->host.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(tcp->port);
    return connected(AF_INET6, reinterpret_cast<const sockaddr*>(&six), sizeof six, where);  // NOLINT
  }
  sockaddr_in four{};
  if (::inet_pton(AF_INET, tcp->host.c_str(), &four.sin_addr) != 1) {
    return base::Error{base::ErrorCode::system_failure, where + ": the host is not a numeric address"};
  }
  four.sin_family = AF_INET;
  four.sin_port = htons(tcp->port);
  return connected(AF_INET, reinterpret_cast<const sockaddr*>(&four), sizeof four, where);  // NOLINT
}

FastcgiClient::FastcgiClient(int socket, ClientRequest request, AnswerSink& sink,
                             std::chrono::milliseconds timeout)
    : socket_(socket), request_(std::move(request)), sink_(sink), timeout_(timeout) {}

FastcgiClient::~FastcgiClient() { ::close(socket_); }

void FastcgiClient::queue_start() {
  protocol::append_begin_request(out_, request_id, static_cast<std::uint16_t>(request_.role), false);
  base::Buffer pairs;
  for (const auto& [name, value] : request_.params) protocol::append_pair(pairs, name, value);
  protocol::append_stream(out_, RecordType::params, request_id, pairs.bytes());
  protocol::append_stream_end(out_, RecordType::params, request_id);
}

void FastcgiClient::end_stream() {
  const bool was_body = sending_ == Sending::body;
  protocol::append_stream_end(out_, was_body ? RecordType::standard_in : RecordType::data, request_id);
  sending_ = was_body && request_.role == protocol::Role::filter ? Sending::data : Sending::nothing;
}

/// Queues the next piece of what is being sent.
void FastcgiClient::refill() {
  InputSource& source = sending_ == Sending::body ? request_.body : request_.data;
  piece_.clear();
  const auto got = source.read(piece_, protocol::split_content);
  if (!got.ok()) {
    fail(got.error().message);
    return;
  }
  if (got.value() == 0) {
    end_stream();
  } else {
    protocol::append_stream(out_, sending_ == Sending::body ? RecordType::standard_in : RecordType::data,
                            request_id, piece_.bytes());
  }
}

void FastcgiClient::fail(std::string problem) {
  if (!over_) outcome_.problem = std::move(problem);
  over_ = true;
}

void FastcgiClient::send() {
  while (!out_.empty()) {
    const base::Bytes bytes = out_.bytes();
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
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
  }
}

void FastcgiClient::receive() {
  std::array<std::uint8_t, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read into
  const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (got < 0) {
    if (errno == EINTR || errno == EAGAIN) return;
    fail(base::system_error("receiving failed", errno).message);
    return;
  }
  if (got == 0) {
    fail("the connection was closed before the request ended" +
         (send_problem_.empty() ? "" : " (" + send_problem_ + ")"));
    return;
  }
  const base::Bytes bytes(buffer.data(), static_cast<std::size_t>(got));
  sink_.on_received(bytes);
  take(bytes);
}

void FastcgiClient::take(base::Bytes bytes) {
  while (!over_) {
    const protocol::RecordStep step = decoder_.next(bytes);
    const protocol::RecordHeader& header = decoder_.header();
    const auto type = static_cast<RecordType>(header.type);
    switch (step.kind) {
      case protocol::RecordStep::Kind::more:
        return;
      case protocol::RecordStep::Kind::wrong_version:
        fail("what came back is not FastCGI 1");
        return;
      case protocol::RecordStep::Kind::header:
        end_content_.clear();
        break;
      case protocol::RecordStep::Kind::content:
        if (header.request_id != request_id) break;
        if (type == RecordType::standard_out && !sink_.on_output(step.content)) {
          over_ = true;
          return;
        }
        if (type == RecordType::standard_error) sink_.on_error_output(step.content);
        if (type == RecordType::end_request) end_content_ += base::as_text(step.content);
        break;
      case protocol::RecordStep::Kind::end:
        finish_record();
        break;
    }
  }
}

void FastcgiClient::finish_record() {
  const protocol::RecordHeader& header = decoder_.header();
  if (static_cast<RecordType>(header.type) != RecordType::end_request || header.request_id != request_id)
    return;
  if (end_content_.size() != 8) {
    fail("END_REQUEST has " + std::to_string(end_content_.size()) + " bytes instead of 8");
    return;
  }
  for (std::size_t i = 0; i < 4; ++i) {
    outcome_.app_status = outcome_.app_status << 8U | static_cast<std::uint8_t>(end_content_[i]);
  }
  outcome_.protocol_status = static_cast<std::uint8_t>(end_content_[4]);
  outcome_.ended = true;
  over_ = true;
}

Outcome FastcgiClient::run() {
  queue_start();
  while (!over_) {
    InputSource& source = sending_ == Sending::body ? request_.body : request_.data;
    const bool wants_piece = sending_ != Sending::nothing && out_.size() < protocol::max_content;
    const int wait_for = wants_piece ? source.poll_descriptor() : -1;
    if (wants_piece && wait_for < 0) {
      refill();
      if (over_) break;
    }
    std::array<pollfd, 2> watched = {
        pollfd{socket_, static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT), 0},
        pollfd{wait_for, POLLIN, 0}};
    const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(timeout_.count()));
    if (ready < 0 && errno != EINTR) fail(base::system_error("waiting failed", errno).message);
    if (ready == 0) fail("no byte moved for " + std::to_string(timeout_.count()) + " ms");
    if (ready <= 0) continue;
    if ((watched[0].revents & POLLOUT) != 0) send();
    if ((watched[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) receive();
    if (!over_ && watched[1].revents != 0) refill();
  }
  return outcome_;
}

}  // namespace trivet::cli
