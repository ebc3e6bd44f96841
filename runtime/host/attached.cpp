#include "runtime/host/attached.hpp"

#include <utility>

namespace trivet::host {

void AttachedSockets::start(io::EventLoop& loop, OnAccept on_accept) {
  loop_ = &loop;
  on_accept_ = std::move(on_accept);
}

base::Result<> AttachedSockets::attach(std::uint32_t id, process::FileDescriptor socket) {
  if (stopped_) return base::success();
  io::ListenOptions options;
  options.kind = io::ListenOptions::Kind::descriptor;
  options.fd = socket.release();
  auto opened = io::Listener::open(options);
  if (!opened) return opened.error();
  auto& listener = sockets_[id] = std::move(opened).value();
  listener->on_trouble(
      [this](const base::Error& error) { log_.error("accepting rests", {{"reason", error.message}}); });
  if (paused_) listener->pause();
  listener->start(*loop_, [this](int fd, const io::Peer& peer) { on_accept_(fd, peer); });
  return base::success();
}

void AttachedSockets::detach(std::uint32_t id) {
  const auto found = sockets_.find(id);
  if (found != sockets_.end()) found->second->finish([this, id] { sockets_.erase(id); });
}

void AttachedSockets::pause() {
  paused_ = true;
  for (const auto& [id, each] : sockets_) each->pause();
}
void AttachedSockets::resume() {
  paused_ = false;
  for (const auto& [id, each] : sockets_) each->resume();
}
void AttachedSockets::descriptor_freed() {
  for (const auto& [id, each] : sockets_) each->descriptor_freed();
}
void AttachedSockets::stop() {
  stopped_ = true;
  sockets_.clear();
}

}  // namespace trivet::host
