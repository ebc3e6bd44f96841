#include "runtime/host/attach_server.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/base/timer_queue.hpp"
#include "runtime/io/watch.hpp"
#include "runtime/process/attach_stub.hpp"

namespace trivet::host {
namespace {

int socket_option(int socket, int option) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/// Why this is nothing that connections could be accepted on; empty if it is.
std::string_view refusal(int socket) noexcept {
  if (socket_option(socket, SO_TYPE) < 0) return "what was passed is no socket";
  if (socket_option(socket, SO_DOMAIN) != AF_UNIX || socket_option(socket, SO_TYPE) != SOCK_STREAM)
    return "what was passed is no unix stream socket";
  if (socket_option(socket, SO_ACCEPTCONN) != 1) return "the socket that was passed does not listen";
  const int flags = ::fcntl(socket, F_GETFL);
  if (flags < 0 || ::fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0)
    return "the socket that was passed cannot be made non-blocking";
  return {};
}

/// What came over an attach socket.
struct Passed {
  enum class What : std::uint8_t { nothing, end, message };
  What what = What::nothing;
  bool greeting = false;
  std::vector<process::FileDescriptor> descriptors;
};

Passed receive(int link) {
  constexpr std::size_t length = sizeof process::attach_greeting - 1;
  std::array<char, length + 1> bytes{};
  iovec piece{bytes.data(), bytes.size()};
  // Room for more than the one that is wanted, so that more are seen; the kernel closes what does not fit.
  alignas(cmsghdr) std::array<char, CMSG_SPACE(4 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  Passed passed;
  const ssize_t got = ::recvmsg(link, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return passed;
  passed.what = got <= 0 ? Passed::What::end : Passed::What::message;
  for (cmsghdr* about = CMSG_FIRSTHDR(&message); about != nullptr; about = CMSG_NXTHDR(&message, about)) {
    if (about->cmsg_level != SOL_SOCKET || about->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (about->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(about) + i * sizeof(int), sizeof(int));
      passed.descriptors.emplace_back(descriptor);
    }
  }
  passed.greeting = got == static_cast<ssize_t>(length) && (message.msg_flags & MSG_CTRUNC) == 0 &&
                    std::memcmp(bytes.data(), process::attach_greeting, length) == 0;
  return passed;
}

}  // namespace

/// One connection of `trivet attach`: silent -> attached -> gone.
class AttachServer::Session {
 public:
  Session(AttachServer& server, process::FileDescriptor link, const io::Peer& peer, std::vector<gid_t> groups)
      : server_(server), link_(std::move(link)), peer_(peer), groups_(std::move(groups)) {}

  bool start() {
    auto watch = io::Watch::open(server_.loop_, link_.get(), [this] { on_readable(); });
    if (!watch) return false;
    watch_ = std::move(watch).value();
    server_.loop_.timers().arm(late_, server_.loop_.now() + server_.patience_);
    return true;
  }
  void attach(std::uint32_t id, process::FileDescriptor socket) {
    id_ = id;
    socket_ = std::move(socket);
    late_.cancel();
  }

  [[nodiscard]] int link() const noexcept { return link_.get(); }
  [[nodiscard]] int socket() const noexcept { return socket_.get(); }
  [[nodiscard]] std::uint32_t id() const noexcept { return id_; }
  [[nodiscard]] bool attached() const noexcept { return id_ != 0; }
  [[nodiscard]] const io::Peer& peer() const noexcept { return peer_; }
  [[nodiscard]] const std::vector<gid_t>& groups() const noexcept { return groups_; }

 private:
  void on_readable() {
    Passed passed = receive(link_.get());
    if (passed.what == Passed::What::nothing) return;
    const bool good = !attached() && passed.greeting && passed.descriptors.size() == 1;
    if (good && server_.take(*this, std::move(passed.descriptors.front()))) return;
    if (!good && passed.what == Passed::What::message)
      server_.refuse(link_.get(), peer_.text, "it does not speak as `trivet attach` of this version does");
    server_.drop(*this);
  }
  void on_late(base::TimePoint /*now*/) {
    server_.refuse(link_.get(), peer_.text, "it passed no socket in time");
    server_.drop(*this);
  }

  AttachServer& server_;
  process::FileDescriptor link_;
  io::Peer peer_;
  std::vector<gid_t> groups_;
  process::FileDescriptor socket_;
  std::uint32_t id_ = 0;
  std::unique_ptr<io::Watch> watch_;
  base::MemberTimer<Session, &Session::on_late> late_{*this};
};

AttachServer::AttachServer(io::EventLoop& loop, log::Log& log, Owner& owner, base::Duration patience)
    : loop_(loop), log_(log), owner_(owner), patience_(patience) {}

AttachServer::~AttachServer() = default;

base::Result<> AttachServer::listen(const std::optional<config::Attach>& attach) {
  const auto fail = [](const base::Error& error) {
    return base::Error{error.code, "server.attach: " + error.message};
  };
  AttachRules rules;
  std::unique_ptr<io::Listener> next;
  if (attach) {
    auto looked_up = AttachRules::from(*attach);
    if (!looked_up) return fail(looked_up.error());
    rules = std::move(looked_up).value();
    io::ListenOptions options;
    options.kind = io::ListenOptions::Kind::unix_path;
    options.path = attach->socket;
    options.mode = attach->mode;
    options.group = attach->group;
    if (listener_ != nullptr && attach->socket == path_ && listener_->is_reachable()) {
      if (const auto adjusted = listener_->adjust(options); !adjusted) return fail(adjusted.error());
      next = std::move(listener_);
    } else {
      auto opened = io::Listener::open(options);
      if (!opened) return fail(opened.error());
      next = std::move(opened).value();
      begin(*next);
    }
  }
  rules_ = std::move(rules);
  listener_ = std::move(next);
  path_ = attach ? attach->socket : std::string();
  std::vector<Session*> unwanted;
  for (const auto& each : sessions_) {
    if (!rules_.allow(each->peer().uid, each->groups())) unwanted.push_back(each.get());
  }
  for (Session* each : unwanted) {
    refuse(each->link(), each->peer().text, "its user may not any more");
    drop(*each);
  }
  return base::success();
}

void AttachServer::begin(io::Listener& listener) {
  listener.on_trouble([this](const base::Error& error) {
    log_.error("the attach socket takes nobody", {{"reason", error.message}});
  });
  listener.start(loop_, [this](int fd, const io::Peer& peer) { accept(fd, peer); });
}

void AttachServer::adopt(const std::string& path, process::FileDescriptor socket) {
  io::ListenOptions options;
  options.kind = io::ListenOptions::Kind::descriptor;
  options.fd = socket.release();
  options.path = path;
  auto listener = io::Listener::open(options);
  if (!listener) return;
  listener_ = std::move(listener).value();
  path_ = path;
  begin(*listener_);
}

void AttachServer::accept(int fd, const io::Peer& peer) {
  process::FileDescriptor link(fd);
  std::vector<gid_t> groups = groups_of_peer(fd);
  if (!rules_.allow(peer.uid, groups)) {
    refuse(fd, peer.text, "`attach` of its configuration does not let this user in");
    return;
  }
  if (count(peer.uid) >= rules_.sockets_per_user()) {
    refuse(fd, peer.text, "it has as many sockets of this user as `sockets_per_user` of `attach` allows");
    return;
  }
  sessions_.push_back(std::make_unique<Session>(*this, std::move(link), peer, std::move(groups)));
  if (!sessions_.back()->start()) sessions_.pop_back();
}

std::size_t AttachServer::count(uid_t user) const {
  return static_cast<std::size_t>(std::count_if(sessions_.begin(), sessions_.end(),
                                                [&](const auto& each) { return each->peer().uid == user; }));
}

void AttachServer::refuse(int link, const std::string& peer, std::string_view reason) {
  const std::string line = std::string(reason) + "\n";
  static_cast<void>(::send(link, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  if (const auto untold = refusals_.due(loop_.now())) {
    log_.warn("a socket is not attached",
              {{"reason", reason}, {"peer", peer}, {"others", std::to_string(*untold)}});
  }
}

bool AttachServer::take(Session& session, process::FileDescriptor socket) {
  if (const std::string_view reason = refusal(socket.get()); !reason.empty()) {
    refuse(session.link(), session.peer().text, reason);
    return false;
  }
  session.attach(++last_id_, std::move(socket));
  static_cast<void>(::send(session.link(), process::attach_answer, sizeof process::attach_answer - 1,
                           MSG_DONTWAIT | MSG_NOSIGNAL));
  log_.info("a socket was attached",
            {{"attachment", std::to_string(session.id())}, {"peer", session.peer().text}});
  owner_.on_attached(session.id(), session.socket());
  return true;
}

void AttachServer::drop(Session& session) {
  const auto place = std::find_if(sessions_.begin(), sessions_.end(),
                                  [&](const auto& each) { return each.get() == &session; });
  const std::unique_ptr<Session> gone = std::move(*place);
  sessions_.erase(place);
  if (!gone->attached()) return;
  log_.info("a socket was detached", {{"attachment", std::to_string(gone->id())}});
  owner_.on_detached(gone->id());
}

}  // namespace trivet::host
