#include "runtime/io/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>

#include "runtime/io/event_loop_impl.hpp"
#include "runtime/io/registration.hpp"

namespace trivet::io {

namespace {

constexpr int sending = MSG_DONTWAIT | MSG_NOSIGNAL;

/// A read stops at these though there is more behind them: bytes, or the end.
constexpr std::uint32_t stopping_reads = EPOLLRDHUP | EPOLLPRI | EPOLLHUP | EPOLLERR;

/// What is wanted of the registration is what its owner awaits: EPOLLIN or, while paused, EPOLLHUP; and
/// EPOLLOUT. Edge-triggered: a read or write that does less than it was asked for has used up what there was
/// (epoll(7)), which spares the kernel looking once more after each request.
class Socket final : public Transport, private Registration {
 public:
  Socket(EventLoop& loop, int fd, TransportEvents& events)
      : Registration(loop, fd, Trigger::edge), events_(events) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // not for unix sockets, which need none
  }
  ~Socket() override {
    if (destroyed_ != nullptr) *destroyed_ = true;
    leave();
    if (!released_) ::close(descriptor());
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  Transfer read(std::span<std::uint8_t> into) noexcept override;
  Transfer write(base::Bytes first, std::span<const base::Bytes> more) noexcept override;
  void await_readable() override { await((wanted() & EPOLLOUT) | EPOLLIN); }
  void pause_reading() override { await((wanted() & EPOLLOUT) | EPOLLHUP); }
  void await_writable() override { await(wanted() | EPOLLOUT); }
  void shutdown_write() noexcept override { ::shutdown(descriptor(), SHUT_WR); }
  [[nodiscard]] bool peer_gone() const noexcept override;
  [[nodiscard]] int release() noexcept override;

 private:
  /// What a call that sends `size` bytes has done, which is made again where a signal interrupted it.
  template <class Call>
  Transfer send(std::size_t size, Call call) noexcept;
  void await(std::uint32_t events);
  void on_ready(std::uint32_t events) override;
  void on_failure(base::TimePoint) { on_ready(wanted()); }

  TransportEvents& events_;
  base::MemberTimer<Socket, &Socket::on_failure> failure_told_{*this};
  bool* destroyed_ = nullptr;  // tells on_ready() that its events destroyed this
  int failure_ = 0;            // errno of a watch that failed
  bool released_ = false;
};

Transfer Socket::read(std::span<std::uint8_t> into) noexcept {
  assert(!into.empty());
  if (failure_ != 0) return {Transfer::Status::failed, 0, failure_};
  while (true) {
    const ssize_t n = ::recv(descriptor(), into.data(), into.size(), MSG_DONTWAIT);
    if (n > 0) {
      const auto size = static_cast<std::size_t>(n);
      if (size < into.size() && (told() & stopping_reads) == 0) used_up(EPOLLIN);
      return {Transfer::Status::ok, size, 0};
    }
    if (n == 0) return {Transfer::Status::end, 0, 0};
    if (errno == EAGAIN) {
      used_up(EPOLLIN | EPOLLPRI);
      return {Transfer::Status::would_block, 0, 0};
    }
    if (errno != EINTR) return {Transfer::Status::failed, 0, errno};
  }
}

template <class Call>
Transfer Socket::send(std::size_t size, Call call) noexcept {
  while (true) {
    const ssize_t n = call();
    if (n >= 0) {
      const auto sent = static_cast<std::size_t>(n);
      if (sent < size) used_up(EPOLLOUT);
      return {Transfer::Status::ok, sent, 0};
    }
    if (errno == EAGAIN) {
      used_up(EPOLLOUT);
      return {Transfer::Status::would_block, 0, 0};
    }
    if (errno != EINTR) return {Transfer::Status::failed, 0, errno};
  }
}

Transfer Socket::write(base::Bytes first, std::span<const base::Bytes> more) noexcept {
  assert(more.size() <= most_pieces);
  if (failure_ != 0) return {Transfer::Status::failed, 0, failure_};
  if (more.empty()) {
    if (first.empty()) return {};
    // For one piece, which most answers are, the kernel has less to read in.
    return send(first.size(), [&] { return ::send(descriptor(), first.data(), first.size(), sending); });
  }
  std::array<iovec, 1 + most_pieces> pieces;  // NOLINT(*-member-init): only what is counted is read
  std::size_t count = 0;
  std::size_t size = 0;
  const auto add = [&](base::Bytes piece) {
    // NOLINTNEXTLINE(*-const-cast): the kernel only reads it
    if (!piece.empty()) pieces[count++] = {const_cast<std::uint8_t*>(piece.data()), piece.size()};
    size += piece.size();
  };
  add(first);
  for (const base::Bytes& piece : more) add(piece);
  if (count == 0) return {};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = count;
  return send(size, [&] { return ::sendmsg(descriptor(), &message, sending); });
}

bool Socket::peer_gone() const noexcept {
  pollfd one{descriptor(), 0, 0};  // Both are told unasked.
  return ::poll(&one, 1, 0) > 0 && (one.revents & (POLLHUP | POLLERR)) != 0;
}

/// No byte is lost however late this comes: bytes leave the kernel in read() alone.
int Socket::release() noexcept {
  released_ = true;
  failure_told_.cancel();
  leave();
  return descriptor();
}

void Socket::await(std::uint32_t events) {
  const int error = want(events);
  if (error != 0) failure_ = error;
  // Not here: whoever awaits is not to be called back from within.
  if (failure_ != 0 && !failure_told_.armed()) loop().timers.arm(failure_told_, loop().now());
}

/// One event for each wish, each of which may take back the others, or destroy this.
void Socket::on_ready(std::uint32_t events) {
  bool destroyed = false;
  destroyed_ = &destroyed;
  const auto takes = [&](std::uint32_t event) {
    if (destroyed || (events & wanted() & event) == 0) return false;
    drop(event);
    return true;
  };
  if (takes(EPOLLHUP)) events_.on_hangup();
  if (takes(EPOLLOUT)) events_.on_writable();
  if (takes(EPOLLIN)) events_.on_readable();
  if (!destroyed) destroyed_ = nullptr;
}

}  // namespace

std::unique_ptr<Transport> adopt(EventLoop& loop, int fd, TransportEvents& events) {
  return std::make_unique<Socket>(loop, fd, events);
}

}  // namespace trivet::io
