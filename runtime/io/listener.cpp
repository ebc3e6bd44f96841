#include "runtime/io/listener.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "runtime/io/event_loop_impl.hpp"
#include "runtime/io/listen_descriptor.hpp"
#include "runtime/io/registration.hpp"

namespace trivet::io {

namespace {

constexpr std::chrono::milliseconds rest_time(100);
/// Of a backlog that is emptied, before others have their turn.
constexpr int accepts_per_turn = 16;

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

struct Listener::Impl : std::enable_shared_from_this<Listener::Impl>, private base::Task {
  explicit Impl(ListenDescriptor opened) : listening(std::move(opened)) {}

  /// Its socket in the set of the loop.
  class Watched final : public Registration {
   public:
    explicit Watched(Impl& owner) : Registration(*owner.loop, owner.listening.socket.get()), owner_(owner) {}

   private:
    void on_ready(std::uint32_t /*events*/) override { owner_.on_ready(); }
    Impl& owner_;
  };

  void on_ready();
  /// Watches the socket, or leaves its clients in the backlog, as things stand.
  void wait();
  /// 0, or why there is no connection.
  int accept_one();
  void rest(int error);
  void on_rested(base::TimePoint) { go_on(); }
  /// After a rest.
  void go_on();
  void finish_later();
  void run() override;
  void close();

  ListenDescriptor listening;
  EventLoop* loop = nullptr;
  std::optional<Watched> watched;  // from start() until it closes
  OnAccept on_accept;
  OnTrouble on_trouble;
  OnFinished on_finished;
  std::shared_ptr<Impl> posted;  // keeps this until the loop has run it
  base::MemberTimer<Impl, &Impl::on_rested> rested{*this};
  bool paused = false;
  bool trouble_told = false;
  bool stopped = false;
};

void Listener::Impl::wait() {
  if (!watched) return;
  if (paused || on_finished || rested.armed()) {
    watched->drop(EPOLLIN);
  } else if (const int error = watched->want(EPOLLIN); error != 0) {
    rest(error);
  }
}

void Listener::Impl::on_ready() {
  const std::shared_ptr<Impl> self = shared_from_this();  // `on_accept` may destroy the listener
  accept_one();
}

int Listener::Impl::accept_one() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const int fd = ::accept4(listening.socket.get(), reinterpret_cast<sockaddr*>(&address), &size,  // NOLINT
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    trouble_told = false;
    on_accept(fd, peer_of(fd, address));
    return 0;
  }
  const int error = errno;
  if (!concerns_one_connection(error)) rest(error);
  return error;
}

void Listener::Impl::go_on() {
  if (on_finished) {
    finish_later();
  } else {
    wait();
  }
}

void Listener::Impl::finish_later() {
  if (stopped || posted != nullptr) return;
  posted = shared_from_this();
  loop->post(*this);
}

void Listener::Impl::run() {
  const std::shared_ptr<Impl> self = std::move(posted);
  for (int i = 0; i < accepts_per_turn && !stopped && !rested.armed(); ++i) {
    if (const int error = accept_one(); error != EAGAIN || stopped) continue;
    close();
    std::exchange(on_finished, {})();
    return;
  }
  if (!rested.armed()) finish_later();
}

void Listener::Impl::rest(int error) {
  loop->timers().arm(rested, loop->now() + rest_time);
  wait();
  if (trouble_told || !on_trouble) return;
  trouble_told = true;
  on_trouble(base::system_error("cannot accept a connection, trying again", error));
}

void Listener::Impl::close() {
  if (std::exchange(stopped, true)) return;
  rested.cancel();
  // First the name, then the socket: nobody finds a path that only refuses.
  listening.file.remove();
  watched.reset();
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
  if (impl.stopped || impl.loop != nullptr) return;
  impl.loop = &loop;
  impl.on_accept = std::move(on_accept);
  impl.watched.emplace(impl);
  impl.wait();
}

void Listener::on_trouble(OnTrouble on_trouble) { impl_->on_trouble = std::move(on_trouble); }

void Listener::pause() {
  impl_->paused = true;
  impl_->wait();
}

void Listener::resume() {
  impl_->paused = false;
  impl_->wait();
}

void Listener::descriptor_freed() {
  if (!impl_->rested.armed()) return;
  impl_->rested.cancel();
  impl_->go_on();
}

void Listener::finish(OnFinished on_finished) {
  if (impl_->stopped || impl_->on_finished || impl_->loop == nullptr) return;
  impl_->on_finished = std::move(on_finished);
  impl_->wait();
  if (!impl_->rested.armed()) impl_->finish_later();
}

void Listener::stop() { impl_->close(); }

bool Listener::is_reachable() const noexcept { return impl_->listening.file.is_in_place(); }

base::Result<> Listener::adjust(const ListenOptions& options) {
  switch (options.kind) {
    case ListenOptions::Kind::unix_path:
      return impl_->listening.file.adjust(
          descriptor(), {options.path, static_cast<mode_t>(options.mode), options.group, options.backlog});
    case ListenOptions::Kind::tcp:
      if (::listen(descriptor(), options.backlog) != 0)
        return base::system_error("cannot set the backlog", errno);
      return base::success();
    case ListenOptions::Kind::descriptor:
      return base::success();  // Whoever opened it chose the backlog.
  }
  return base::success();
}

std::uint16_t Listener::port() const noexcept { return impl_->listening.port; }

std::optional<base::IpAddress> Listener::bound_to() const noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(descriptor(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return std::nullopt;  // NOLINT
  return ip_of(address);
}

int Listener::descriptor() const noexcept { return impl_->listening.socket.get(); }

}  // namespace trivet::io
