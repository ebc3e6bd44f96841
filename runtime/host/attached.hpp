#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "runtime/base/error.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/io/listener.hpp"
#include "runtime/log/log.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::host {

/// The attached sockets that a worker accepts on. They are a web server's: what is not accepted waits in them
/// for the next worker or the next host.
///
/// Thread    [loop]
/// Lifetime  `log` and the loop outlive it.
class AttachedSockets {
 public:
  using OnAccept = std::function<void(int fd, const io::Peer& peer)>;

  explicit AttachedSockets(log::Log& log) : log_(log) {}

  void start(io::EventLoop& loop, OnAccept on_accept);
  /// Accepts on this one, after start().
  [[nodiscard]] base::Result<> attach(std::uint32_t id, process::FileDescriptor socket);
  /// Nobody attaches it any more: accepts whoever waits, then closes it.
  void detach(std::uint32_t id);
  void pause();
  void resume();
  void descriptor_freed();
  /// For good: what is attached from now on is closed.
  void stop();

 private:
  log::Log& log_;
  io::EventLoop* loop_ = nullptr;
  OnAccept on_accept_;
  bool paused_ = false;
  bool stopped_ = false;
  std::map<std::uint32_t, std::unique_ptr<io::Listener>> sockets_;
};

}  // namespace trivet::host
