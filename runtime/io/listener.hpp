#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/base/error.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/io/peer.hpp"

namespace trivet::io {

/// Where to listen.
struct ListenOptions {
  enum class Kind : std::uint8_t { unix_path, tcp, descriptor };
  Kind kind = Kind::unix_path;
  std::string path;           ///< unix_path: at most 107 bytes
  std::string host;           ///< tcp: a numeric address, IPv6 without brackets
  std::uint16_t port = 0;     ///< tcp: 0 lets the kernel choose
  int fd = -1;                ///< descriptor: a listening socket, taken over; with `path`: so is its file
  std::uint32_t mode = 0660;  ///< unix_path: permission bits
  std::optional<std::string> group;  ///< unix_path: by name
  int backlog = 4096;
};

/// A listening socket and its accepting.
///
/// A unix socket file that nobody listens on (its owner died) is replaced; one that answers is left alone
/// and the error says so, as it does for anything at the path that is not a socket. Two hosts that start at
/// once cannot both win: looking, replacing, binding and listening happen under a lock on PATH.lock, which
/// exists only meanwhile. Mode and group are set before the socket listens, so nobody can connect earlier.
///
/// One connection is accepted per event, so that a burst of connects does not hold up those that are
/// already served and processes that share the socket share the connections.
///
/// Thread    [loop] after start(); open() [startup].
/// Lifetime  The loop outlives it. Destroying it is stop(). Both are fine inside `on_accept`.
/// Errors    A connection that is gone before it was accepted is passed over. Where descriptors or memory
///           are used up (EMFILE, ENFILE, ENOBUFS, ENOMEM) accepting rests for 100 ms or until
///           descriptor_freed(), and for as long where the kernel does not watch the socket; clients wait in
///           the backlog meanwhile, nothing is refused, nothing spins.
class Listener {
 public:
  using OnAccept = std::function<void(int fd, Peer peer)>;
  using OnTrouble = std::function<void(const base::Error& error)>;
  using OnFinished = std::function<void()>;

  static base::Result<std::unique_ptr<Listener>> open(const ListenOptions& options);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// `on_accept` owns the descriptor, which is non-blocking and close-on-exec. Call once.
  void start(EventLoop& loop, OnAccept on_accept);
  /// Told when accepting has to rest, once until a connection was accepted again: for the log. May destroy
  /// the listener. Set before start().
  void on_trouble(OnTrouble on_trouble);
  /// Clients wait in the backlog until resume().
  void pause();
  void resume();
  /// A connection was closed: accept at once if it was the want of descriptors that made accepting rest.
  void descriptor_freed();
  /// Nobody will accept on this socket after us: accepts whoever waits in its backlog, a few at a time and
  /// even while paused, then stops and tells so. Never tells inside this call, nor once stop() was called.
  void finish(OnFinished on_finished);
  /// Closes; removes the socket file if it is still the one that open() made. For good.
  void stop();

  /// unix_path: whether the path still leads here; nobody may have removed the file. Else true.
  [[nodiscard]] bool is_reachable() const noexcept;
  /// Takes mode, group and backlog of options for the same address. [loop]
  base::Result<> adjust(const ListenOptions& options);

  [[nodiscard]] std::uint16_t port() const noexcept;  ///< tcp: the port listened on; else 0
  [[nodiscard]] int descriptor() const noexcept;      ///< -1 once stopped
  /// tcp: the address listened on; nothing for a unix socket.
  [[nodiscard]] std::optional<base::IpAddress> bound_to() const noexcept;

 private:
  struct Impl;
  explicit Listener(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace trivet::io
