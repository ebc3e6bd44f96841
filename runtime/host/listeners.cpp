#include "runtime/host/listeners.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

namespace trivet::host {

void Listeners::take(std::vector<OpenSocket> opened) {
  for (OpenSocket& each : opened) static_cast<void>(add(each.listen, std::move(each.socket)));
}

base::Result<> Listeners::adopt(std::uint32_t listen, process::FileDescriptor socket) {
  io::ListenOptions options;
  options.kind = io::ListenOptions::Kind::descriptor;
  options.fd = socket.release();
  auto opened = io::Listener::open(options);
  if (!opened) return opened.error();
  return add(listen, std::move(opened).value());
}

base::Result<> Listeners::add(std::uint32_t listen, std::shared_ptr<io::Listener> socket) {
  const std::optional<base::IpAddress> bound = socket->bound_to();
  auto rules = PeerRules::from(config_.listen[listen], config_.web_servers, bound);
  if (!rules) return rules.error();
  sockets_.push_back({listen, std::move(socket), std::move(rules).value(), !bound, {}});
  if (loop_ != nullptr) start_one(sockets_.back());
  return base::success();
}

void Listeners::start(io::EventLoop& loop, OnAccept on_accept) {
  loop_ = &loop;
  on_accept_ = std::move(on_accept);
  for (Socket& socket : sockets_) start_one(socket);
}

void Listeners::start_one(Socket& socket) {
  socket.listener->on_trouble(
      [this](const base::Error& error) { log_.error("accepting rests", {{"reason", error.message}}); });
  socket.listener->start(*loop_, [this, &socket](int fd, const io::Peer& peer) {
    if (const std::string_view reason = socket.rules.refusal(peer); !reason.empty()) {
      ::close(fd);
      refuse(socket, peer, reason);
      return;
    }
    on_accept_(socket.listen, fd, peer);
  });
}

void Listeners::refuse(Socket& socket, const io::Peer& peer, std::string_view reason) {
  const auto untold = socket.refusals.due(loop_->now());
  if (!untold) return;
  log_.warn("connection refused", {{"reason", reason},
                                   {"peer", peer.text},
                                   {"listen", config_.listen[socket.listen].name},
                                   {"others", std::to_string(*untold)}});
}

void Listeners::pause() {
  for (const Socket& each : sockets_) each.listener->pause();
}
void Listeners::resume() {
  for (const Socket& each : sockets_) each.listener->resume();
}
void Listeners::descriptor_freed() {
  for (const Socket& each : sockets_) each.listener->descriptor_freed();
}
void Listeners::stop() {
  for (const Socket& each : sockets_) each.listener->stop();
}

void Listeners::finish(const std::vector<std::uint32_t>& to_empty, std::function<void()> done) {
  on_finished_ = std::move(done);
  unfinished_ = 1;
  const auto finished = [this] {
    if (--unfinished_ == 0) std::exchange(on_finished_, {})();
  };
  for (const Socket& each : sockets_) {
    const bool waits = std::find(to_empty.begin(), to_empty.end(), each.listen) != to_empty.end();
    if (!waits || each.listener->descriptor() < 0) {
      each.listener->stop();
      continue;
    }
    ++unfinished_;
    each.listener->finish(finished);
  }
  finished();
}

std::string_view Listeners::refusal(std::uint32_t listen, const io::Peer& peer) const {
  const auto found = std::find_if(sockets_.begin(), sockets_.end(),
                                  [&](const Socket& each) { return each.listen == listen; });
  if (found == sockets_.end()) return "its listener is not open";
  if (found->local != peer.local) return "its listener is of another kind now";
  return found->rules.refusal(peer);
}

}  // namespace trivet::host
