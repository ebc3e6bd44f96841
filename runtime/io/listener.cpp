#include "runtime/io/listener.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>

#include "runtime/io/asio.hpp"
#include "runtime/io/listen_descriptor.hpp"

namespace trivet::io {

namespace {

constexpr std::chrono::milliseconds rest_time(100);

std::string numeric(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, address, text.data(), text.size()) != nullptr ? text.data() : "?";
}

Peer unix_peer(int fd) {
  Peer peer;
  peer.local = true;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    peer.text = "unix uid=? pid=?";
    return peer;
  }
  peer.uid = credentials.uid;
  peer.pid = credentials.pid;
  peer.text = "unix uid=" + std::to_string(peer.uid) + " pid=" + std::to_string(peer.pid);
  return peer;
}

std::optional<base::IpAddress> ip_of(const sockaddr_storage& address) noexcept {
  switch (address.ss_family) {
    case AF_INET: {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);  // NOLINT: what sockaddr_storage is for
      return base::IpAddress::v4(reinterpret_cast<const std::uint8_t*>(&v4.sin_addr));  // NOLINT
    }
    case AF_INET6:
      return base::IpAddress::v6(
          &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr[0]);  // NOLINT
    default:
      return std::nullopt;
  }
}

Peer describe(int fd, sa_family_t family, const sockaddr_storage& address) {
  if (family == AF_UNIX) return unix_peer(fd);
  Peer peer;
  peer.address = ip_of(address);
  if (family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);  // NOLINT: what sockaddr_storage is for
    peer.text = numeric(AF_INET, &v4.sin_addr) + ":" + std::to_string(ntohs(v4.sin_port));
    return peer;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);  // NOLINT
  const std::string port = std::to_string(ntohs(v6.sin6_port));
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {  // only from a socket that somebody else opened
    peer.text = numeric(AF_INET, &v6.sin6_addr.s6_addr[12]) + ":" + port;
  } else {
    peer.text = "[" + numeric(AF_INET6, &v6.sin6_addr) + "]:" + port;
  }
  return peer;
}

/// Errors of accept() that concern one connection, which is gone: the next one may be fine (accept(2)).
bool concerns_one_connection(int error) noexcept {
  switch (error) {
    case EAGAIN:
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct Listener::Impl : std::enable_shared_from_this<Listener::Impl> {
  explicit Impl(ListenDescriptor opened) : listening(std::move(opened)) {}

  void wait();
  void accept_one();
  void rest(int error);
  void on_rested(base::TimePoint) { wait(); }
  void close();

  ListenDescriptor listening;
  EventLoop* loop = nullptr;
  std::unique_ptr<Descriptor> watched;  // holds the socket from start() on
  OnAccept on_accept;
  OnTrouble on_trouble;
  base::MemberTimer<Impl, &Impl::on_rested> rested{*this};
  bool waiting = false;  // a handler is going to come
  bool paused = false;
  bool trouble_told = false;
  bool stopped = false;
};

void Listener::Impl::wait() {
  if (stopped || paused || waiting || watched == nullptr || rested.armed()) return;
  waiting = true;
  // Each wait looks at the socket anew (epoll_ctl), so what is in the backlog is reported again.
  watched->async_wait(Descriptor::wait_read, [self = shared_from_this()](const error_code& error) {
    self->waiting = false;
    if (error == asio::error::operation_aborted || self->stopped) return;
    self->loop->impl().turn([&] {
      if (self->paused) return;
      self->accept_one();
      self->wait();
    });
  });
}

void Listener::Impl::accept_one() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const int fd = ::accept4(watched->native_handle(), reinterpret_cast<sockaddr*>(&address), &size,  // NOLINT
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    trouble_told = false;
    on_accept(fd, describe(fd, listening.family, address));
  } else if (!concerns_one_connection(errno)) {
    rest(errno);
  }
}

void Listener::Impl::rest(int error) {
  loop->timers().arm(rested, loop->now() + rest_time);
  if (trouble_told || !on_trouble) return;
  trouble_told = true;
  on_trouble(base::system_error("cannot accept a connection, trying again", error));
}

void Listener::Impl::close() {
  if (std::exchange(stopped, true)) return;
  rested.cancel();
  // First the name, then the socket: nobody finds a path that only refuses.
  listening.file.remove();
  if (watched != nullptr) {
    error_code ignored;
    watched->close(ignored);
  }
  listening.socket.reset();
}

base::Result<std::unique_ptr<Listener>> Listener::open(const ListenOptions& options) {
  base::Result<ListenDescriptor> opened = open_listen_descriptor(options);
  if (!opened) return opened.error();
  return std::unique_ptr<Listener>(new Listener(std::make_shared<Impl>(std::move(*opened))));
}

Listener::Listener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() { impl_->close(); }

void Listener::start(EventLoop& loop, OnAccept on_accept) {
  Impl& impl = *impl_;
  if (impl.stopped || impl.watched != nullptr) return;
  impl.loop = &loop;
  impl.on_accept = std::move(on_accept);
  impl.watched = std::make_unique<Descriptor>(loop.impl().context);
  error_code error;
  impl.watched->assign(impl.listening.socket.get(), error);
  if (error) {
    if (impl.on_trouble)
      impl.on_trouble(base::system_error("cannot watch a listening socket", error.value()));
    return;
  }
  (void)impl.listening.socket.release();
  impl.wait();
}

void Listener::on_trouble(OnTrouble on_trouble) { impl_->on_trouble = std::move(on_trouble); }

void Listener::pause() { impl_->paused = true; }

void Listener::resume() {
  impl_->paused = false;
  impl_->wait();
}

void Listener::descriptor_freed() {
  if (!impl_->rested.armed()) return;
  impl_->rested.cancel();
  impl_->wait();
}

void Listener::stop() { impl_->close(); }

std::uint16_t Listener::port() const noexcept { return impl_->listening.port; }

std::optional<base::IpAddress> Listener::bound_to() const noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(descriptor(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return std::nullopt;  // NOLINT
  return ip_of(address);
}

int Listener::descriptor() const noexcept {
  if (impl_->watched != nullptr) return impl_->watched->is_open() ? impl_->watched->native_handle() : -1;
  return impl_->listening.socket.get();
}

}  // namespace trivet::io
