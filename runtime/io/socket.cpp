#include "runtime/io/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cassert>
#include <cerrno>

#include "runtime/io/asio.hpp"

namespace trivet::io {

namespace {

enum class Wait : std::uint8_t { readable, writable, hangup };

class Socket;

/// What pending waits need although their socket may be gone: the memory that they live in, and the way back.
/// Shared by the socket and its waits, on one thread. As a task it reports that watching failed.
struct Pending final : base::Task {
  explicit Pending(Socket& owner) noexcept : socket(&owner) {}
  void run() override;

  Socket* socket;  // null once it is destroyed
  std::size_t references = 0;
  std::array<OperationSlot, 3> slots;  // by Wait
};

void intrusive_ptr_add_ref(Pending* pending) noexcept { ++pending->references; }
void intrusive_ptr_release(Pending* pending) noexcept {
  if (--pending->references == 0) delete pending;
}
using PendingPtr = boost::intrusive_ptr<Pending>;

class Socket final : public Transport {
 public:
  Socket(EventLoop& loop, int fd, TransportEvents& events)
      : loop_(loop), events_(events), pending_(new Pending(*this)), fd_(fd), watched_(loop.impl().context) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // not for unix sockets, which need none
  }
  ~Socket() override {
    pending_->socket = nullptr;
    if (watched_.is_open()) {
      error_code ignored;
      watched_.close(ignored);  // ends the waits; their handlers find no socket
    } else if (!released_) {
      ::close(fd_);
    }
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  Transfer read(std::span<std::uint8_t> into) noexcept override;
  Transfer write(base::Bytes first, std::span<const base::Bytes> more) noexcept override;
  void await_readable() override {
    interest_ = Interest::reading;
    start(Wait::readable);
  }
  void pause_reading() override {
    interest_ = Interest::paused;
    start(Wait::hangup);
  }
  void await_writable() override {
    writing_ = true;
    start(Wait::writable);
  }
  void shutdown_write() noexcept override { ::shutdown(fd_, SHUT_WR); }
  [[nodiscard]] bool peer_gone() const noexcept override { return (poll_now(POLLHUP | POLLERR)) != 0; }
  [[nodiscard]] int release() noexcept override;

  /// A wait is over: at most one event, last, because it may destroy this.
  void complete(Wait what, const error_code& error);
  /// Watching failed: tells everything that is awaited.
  void report_failure();

 private:
  class Handler;
  enum class Interest : std::uint8_t { none, reading, paused };

  [[nodiscard]] unsigned poll_now(unsigned events) const noexcept {
    pollfd one{fd_, static_cast<short>(events), 0};
    return ::poll(&one, 1, 0) > 0 ? static_cast<unsigned>(one.revents) & events : 0U;
  }
  void start(Wait what);
  void fail(int error);
  void hangup_suspected();

  EventLoop& loop_;
  TransportEvents& events_;
  PendingPtr pending_;
  const int fd_;
  Descriptor watched_;             // holds fd_ from the first wait on
  std::array<bool, 3> waiting_{};  // by Wait: a handler is going to come
  Interest interest_ = Interest::none;
  bool writing_ = false;
  bool failure_posted_ = false;
  bool released_ = false;
  int failure_ = 0;  // errno of a watch that failed
};

class Socket::Handler {
 public:
  using allocator_type = SlotAllocator<std::byte>;
  Handler(PendingPtr pending, Wait what) noexcept : pending_(std::move(pending)), what_(what) {}

  [[nodiscard]] allocator_type get_allocator() const noexcept {
    return allocator_type(pending_->slots[static_cast<std::size_t>(what_)]);
  }
  void operator()(const error_code& error) const {
    if (pending_->socket == nullptr) return;
    pending_->socket->loop_.impl().turn([&] { pending_->socket->complete(what_, error); });
  }

 private:
  PendingPtr pending_;
  Wait what_;
};

void Pending::run() {
  const PendingPtr held(this, false);  // the reference that fail() took
  if (socket != nullptr) socket->report_failure();
}

Transfer Socket::read(std::span<std::uint8_t> into) noexcept {
  assert(!into.empty());
  if (failure_ != 0) return {Transfer::Status::failed, 0, failure_};
  while (true) {
    const ssize_t n = ::recv(fd_, into.data(), into.size(), MSG_DONTWAIT);
    if (n > 0) return {Transfer::Status::ok, static_cast<std::size_t>(n), 0};
    if (n == 0) return {Transfer::Status::end, 0, 0};
    if (errno == EAGAIN) return {Transfer::Status::would_block, 0, 0};
    if (errno != EINTR) return {Transfer::Status::failed, 0, errno};
  }
}

Transfer Socket::write(base::Bytes first, std::span<const base::Bytes> more) noexcept {
  assert(more.size() <= most_pieces);
  if (failure_ != 0) return {Transfer::Status::failed, 0, failure_};
  std::array<iovec, 1 + most_pieces> pieces;  // NOLINT(*-member-init): only what is counted is read
  std::size_t count = 0;
  const auto add = [&](base::Bytes piece) {
    // NOLINTNEXTLINE(*-const-cast): the kernel only reads it
    if (!piece.empty()) pieces[count++] = {const_cast<std::uint8_t*>(piece.data()), piece.size()};
  };
  add(first);
  for (const base::Bytes& piece : more) add(piece);
  if (count == 0) return {};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = count;
  constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  while (true) {
    // For one piece, which most answers are, send() has less to read in.
    const ssize_t n = count == 1 ? ::send(fd_, pieces[0].iov_base, pieces[0].iov_len, flags)
                                 : ::sendmsg(fd_, &message, flags);
    if (n >= 0) return {Transfer::Status::ok, static_cast<std::size_t>(n), 0};
    if (errno == EAGAIN) return {Transfer::Status::would_block, 0, 0};
    if (errno != EINTR) return {Transfer::Status::failed, 0, errno};
  }
}

/// No byte is lost however late this comes: waits only wait, bytes leave the kernel in read() alone.
int Socket::release() noexcept {
  released_ = true;
  pending_->socket = nullptr;
  // Not only left: a descriptor that lives on elsewhere would stay registered here.
  if (watched_.is_open()) (void)watched_.release();
  return fd_;
}

void Socket::start(Wait what) {
  bool& waiting = waiting_[static_cast<std::size_t>(what)];
  if (failure_ != 0) {
    fail(failure_);
    return;
  }
  // One that was taken back is still pending, and serves again.
  if (waiting) return;
  if (!watched_.is_open()) {
    error_code error;
    watched_.assign(fd_, error);
    if (error) {
      fail(error.value());
      return;
    }
  }
  waiting = true;
  Handler handler(pending_, what);
  switch (what) {
    case Wait::readable:
      watched_.async_wait(Descriptor::wait_read, std::move(handler));
      return;
    case Wait::writable:
      watched_.async_wait(Descriptor::wait_write, std::move(handler));
      return;
    // Asio watches every descriptor edge-triggered for input, hang-up and errors; a wait for "error" ends on
    // EPOLLHUP, EPOLLERR and EPOLLPRI, and setting it up reports a hang-up that is already there.
    case Wait::hangup:
      watched_.async_wait(Descriptor::wait_error, std::move(handler));
      return;
  }
}

void Socket::complete(Wait what, const error_code& error) {
  waiting_[static_cast<std::size_t>(what)] = false;
  if (error) {
    fail(error.value());
    return;
  }
  switch (what) {
    case Wait::readable:
      if (interest_ != Interest::reading) return;  // paused meanwhile
      interest_ = Interest::none;
      events_.on_readable();
      return;
    case Wait::writable:
      if (!writing_) return;
      writing_ = false;
      events_.on_writable();
      return;
    case Wait::hangup:
      hangup_suspected();
      return;
  }
}

void Socket::hangup_suspected() {
  if (interest_ != Interest::paused) return;  // read() will tell
  if (peer_gone()) {
    interest_ = Interest::none;
    events_.on_hangup();
    return;
  }
  // An urgent byte, which FastCGI does not use. It has to go, or the next wait would end at once for ever.
  std::uint8_t urgent = 0;
  (void)::recv(fd_, &urgent, sizeof urgent, MSG_OOB | MSG_DONTWAIT);
  if (poll_now(POLLPRI) == 0) start(Wait::hangup);
}

void Socket::fail(int error) {
  failure_ = error;
  if (failure_posted_) return;
  failure_posted_ = true;
  intrusive_ptr_add_ref(pending_.get());
  loop_.post(*pending_);
}

void Socket::report_failure() {
  failure_posted_ = false;
  const PendingPtr pending = pending_;
  const bool writing = std::exchange(writing_, false);
  switch (std::exchange(interest_, Interest::none)) {
    case Interest::none:
      break;
    case Interest::reading:
      events_.on_readable();
      break;
    case Interest::paused:
      events_.on_hangup();
      break;
  }
  if (writing && pending->socket != nullptr) pending->socket->events_.on_writable();
}

}  // namespace

std::unique_ptr<Transport> adopt(EventLoop& loop, int fd, TransportEvents& events) {
  return std::make_unique<Socket>(loop, fd, events);
}

}  // namespace trivet::io
