#include "runtime/host/listeners.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

namespace trivet::host {

Listeners::Listeners(const config::Config& config, log::Log& log)
    : config_(config), log_(log), attached_(log) {
  const auto attached =
      std::find_if(config.listen.begin(), config.listen.end(), [](const config::Listen& each) {
        return std::holds_alternative<config::AttachedAddress>(each.address);
      });
  attached_listen_ = static_cast<std::uint32_t>(attached - config.listen.begin());
  if (attached == config.listen.end()) return;
  // Who may attach was checked where the socket came in; it can only be a unix one.
  if (auto rules = PeerRules::from(*attached, config.web_servers, std::nullopt))
    attached_rules_ = std::move(rules).value();
}

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
  attached_.start(loop, [this](int fd, const io::Peer& peer) {
    accept(attached_listen_, attached_rules_, attached_refusals_, fd, peer);
  });
}

void Listeners::start_one(Socket& socket) {
  socket.listener->on_trouble(
      [this](const base::Error& error) { log_.error("accepting rests", {{"reason", error.message}}); });
  socket.listener->start(*loop_, [this, &socket](int fd, const io::Peer& peer) {
    accept(socket.listen, socket.rules, socket.refusals, fd, peer);
  });
}

void Listeners::accept(std::uint32_t listen, const PeerRules& rules, log::Seldom& refusals, int fd,
                       const io::Peer& peer) {
  const std::string_view reason = rules.refusal(peer);
  if (reason.empty()) {
    on_accept_(listen, fd, peer);
    return;
  }
  ::close(fd);
  if (const auto untold = refusals.due(loop_->now())) {
    log_.warn("connection refused", {{"reason", reason},
                                     {"peer", peer.text},
                                     {"listen", config_.listen[listen].name},
                                     {"others", std::to_string(*untold)}});
  }
}

base::Result<> Listeners::attach(std::uint32_t id, process::FileDescriptor socket) {
  if (attached_listen_ == config_.listen.size()) return base::success();
  return attached_.attach(id, std::move(socket));
}

void Listeners::pause() {
  for (const Socket& each : sockets_) each.listener->pause();
  attached_.pause();
}
void Listeners::resume() {
  for (const Socket& each : sockets_) each.listener->resume();
  attached_.resume();
}
void Listeners::descriptor_freed() {
  for (const Socket& each : sockets_) each.listener->descriptor_freed();
  attached_.descriptor_freed();
}
void Listeners::stop() {
  for (const Socket& each : sockets_) each.listener->stop();
  attached_.stop();
}

void Listeners::finish(const std::vector<std::uint32_t>& to_empty, std::function<void()> done) {
  attached_.stop();  // Who waits there is for the next worker.
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
  if (listen == attached_listen_ && peer.local) return attached_rules_.refusal(peer);
  const auto found = std::find_if(sockets_.begin(), sockets_.end(),
                                  [&](const Socket& each) { return each.listen == listen; });
  if (found == sockets_.end()) return "its listener is not open";
  if (found->local != peer.local) return "its listener is of another kind now";
  return found->rules.refusal(peer);
}

}  // namespace trivet::host
