#include "runtime/host/admin_session.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "runtime/base/bytes.hpp"
#include "runtime/host/admin_server.hpp"
#include "runtime/host/serving.hpp"
#include "runtime/io/socket.hpp"

namespace trivet::host {

AdminSession::AdminSession(AdminServer& server, io::EventLoop& loop, base::Duration patience, int fd,
                           std::string peer)
    : server_(server),
      loop_(loop),
      patience_(patience),
      fd_(fd),
      peer_(std::move(peer)),
      transport_(io::adopt(loop, fd, *this)) {}

void AdminSession::start(std::string said) {
  loop_.timers().arm(late_, loop_.now() + patience_);
  const auto self = shared_from_this();
  line_ = std::move(said);
  look_for_the_end();
  read();
}

void AdminSession::resume() {
  state_ = State::working;
  transport_->pause_reading();
}

void AdminSession::on_readable() {
  const auto self = shared_from_this();
  read();
}

void AdminSession::read() {
  std::array<std::uint8_t, AdminRequest::longest_line> bytes{};
  while (state_ == State::reading) {
    const auto got = transport_->read(bytes);
    switch (got.status) {
      case io::Transfer::Status::ok:
        break;
      case io::Transfer::Status::would_block:
        transport_->await_readable();
        return;
      case io::Transfer::Status::end:
      case io::Transfer::Status::failed:
        close();  // Half a command is none.
        return;
    }
    line_ += base::as_text(base::Bytes(bytes.data(), got.bytes));
    look_for_the_end();
  }
}

void AdminSession::look_for_the_end() {
  const std::size_t end = line_.find('\n');
  if (end != std::string::npos) {
    take(std::string_view(line_).substr(0, end), end + 1 == line_.size());
  } else if (line_.size() >= AdminRequest::longest_line) {
    answer({exit_usage,
            "trivet: a command has at most " + std::to_string(AdminRequest::longest_line) +
                " bytes, with the end of its line\n",
            {}});
  }
}

void AdminSession::take(std::string_view line, bool alone) {
  const auto request = read_admin_request(line);
  if (!request || !alone) {
    answer({exit_usage,
            "trivet: " + (request ? "a connection takes one command" : request.error().message) + "\n",
            {}});
    return;
  }
  state_ = State::working;
  late_.cancel();
  transport_->pause_reading();  // Tells when the client goes.
  server_.run(*this, request.value());
}

void AdminSession::answer(const AdminAnswer& answer) {
  if (state_ == State::writing || state_ == State::gone) return;
  const auto self = shared_from_this();
  state_ = State::writing;
  output_.append(pack(answer));
  loop_.timers().arm(late_, loop_.now() + patience_);
  write();
}

void AdminSession::on_writable() {
  const auto self = shared_from_this();
  write();
}

void AdminSession::write() {
  while (!output_.empty()) {
    const auto sent = transport_->write(output_.bytes(), {});
    if (sent.status == io::Transfer::Status::would_block) {
      transport_->await_writable();
      return;
    }
    if (sent.status != io::Transfer::Status::ok) break;
    output_.consume(sent.bytes);
    loop_.timers().arm(late_, loop_.now() + patience_);
  }
  close();
}

void AdminSession::part() {
  if (state_ != State::parting) return;
  // It waits for an end of the connection, which has to be that of the process.
  static_cast<void>(::fcntl(fd_, F_DUPFD_CLOEXEC, 0));
  answer({exit_ok, {}, {}});
}

process::FileDescriptor AdminSession::release() {
  return state_ == State::working ? keep() : process::FileDescriptor();
}

process::FileDescriptor AdminSession::release_unheard(std::string& said) {
  if (state_ != State::reading) return {};
  said = line_;
  return keep();
}

process::FileDescriptor AdminSession::keep() {
  process::FileDescriptor copy(::fcntl(fd_, F_DUPFD_CLOEXEC, 0));
  close();
  return copy;
}

void AdminSession::close() {
  if (std::exchange(state_, State::gone) == State::gone) return;
  late_.cancel();
  transport_.reset();
  server_.forget(*this);  // May destroy this.
}

}  // namespace trivet::host
