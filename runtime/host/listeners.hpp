#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/config/config.hpp"
#include "runtime/host/attached.hpp"
#include "runtime/host/peer_rules.hpp"
#include "runtime/host/socket_pool.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/io/listener.hpp"
#include "runtime/log/log.hpp"
#include "runtime/log/seldom.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::host {

/// The listening sockets of one host. Whoever may not connect is closed at once, without a record; one line a
/// second tells of it, with how many there were.
///
/// Thread    take() [startup], everything else [loop].
/// Lifetime  `config`, `log` and the loop outlive it.
class Listeners {
 public:
  /// `listen` is the index of the `[[listen]]`; `fd` is the receiver's.
  using OnAccept = std::function<void(std::uint32_t listen, int fd, const io::Peer& peer)>;

  Listeners(const config::Config& config, log::Log& log);

  /// What a SocketPool opened for `config`, which checked the rules of each.
  void take(std::vector<OpenSocket> opened);
  /// One that another process opened and passed.
  [[nodiscard]] base::Result<> adopt(std::uint32_t listen, process::FileDescriptor socket);
  /// Accepts on this one for the `[[listen]]` of attached sockets, after start(). Without such a one it is
  /// closed: the configuration has no `attach`.
  [[nodiscard]] base::Result<> attach(std::uint32_t id, process::FileDescriptor socket);
  void detach(std::uint32_t id) { attached_.detach(id); }
  /// Accepts, on these and on what is adopted later.
  void start(io::EventLoop& loop, OnAccept on_accept);
  void pause();
  void resume();
  /// A connection was closed: its descriptor may be what accepting waits for.
  void descriptor_freed();
  void stop();
  /// Accepts no more. Those of these `[[listen]]`s, on which nobody else will accept, first empty their
  /// backlogs. `done` is told once, maybe inside this call.
  void finish(const std::vector<std::uint32_t>& to_empty, std::function<void()> done);
  /// Why this peer may not be connected to that `[[listen]]`; empty if it may.
  [[nodiscard]] std::string_view refusal(std::uint32_t listen, const io::Peer& peer) const;

 private:
  struct Socket {
    std::uint32_t listen;
    std::shared_ptr<io::Listener> listener;
    PeerRules rules;
    bool local;  ///< A unix socket.
    log::Seldom refusals;
  };

  void start_one(Socket& socket);
  base::Result<> add(std::uint32_t listen, std::shared_ptr<io::Listener> socket);
  void accept(std::uint32_t listen, const PeerRules& rules, log::Seldom& refusals, int fd,
              const io::Peer& peer);

  const config::Config& config_;
  log::Log& log_;
  io::EventLoop* loop_ = nullptr;
  OnAccept on_accept_;
  std::deque<Socket> sockets_;  ///< Stay where they are.
  AttachedSockets attached_;
  std::uint32_t attached_listen_ = 0;  ///< Their `[[listen]]`; past the last where there is none.
  PeerRules attached_rules_;
  log::Seldom attached_refusals_;
  std::size_t unfinished_ = 0;
  std::function<void()> on_finished_;
};

}  // namespace trivet::host
