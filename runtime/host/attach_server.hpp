#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"
#include "runtime/host/attach_rules.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/io/listener.hpp"
#include "runtime/log/log.hpp"
#include "runtime/log/seldom.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::host {

/// The attach socket: takes listening unix sockets from `trivet attach`, which a web server started. A socket
/// is attached as long as the connection over which it came. Its file is never touched: it is the web
/// server's.
///
/// Who may is decided by the credentials of the connection, not by the mode of the socket. What comes is one
/// message with one descriptor, which has to be a unix stream socket that listens; it is made non-blocking
/// (mod_fcgid's blocks, and an accept() that loses a race would stop a worker).
///
/// Thread    [loop]; listen() also [startup]
/// Lifetime  What it is made from outlives it.
/// Memory    Two descriptors for each attachment, `sockets_per_user` for each user who may.
/// Errors    Whoever is refused is told why, and the log once a second.
class AttachServer {
 public:
  /// Told of what comes and goes; must not call back.
  class Owner {
   public:
    Owner() = default;
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    virtual ~Owner() = default;

    /// `socket` is open up to on_detached(). Numbers are not used again.
    virtual void on_attached(std::uint32_t id, int socket) = 0;
    virtual void on_detached(std::uint32_t id) = 0;
  };

  /// Who says nothing for `patience` is closed.
  AttachServer(io::EventLoop& loop, log::Log& log, Owner& owner,
               base::Duration patience = std::chrono::seconds(5));
  ~AttachServer();
  AttachServer(const AttachServer&) = delete;
  AttachServer& operator=(const AttachServer&) = delete;

  /// Listens as this says from now on; without it nobody is attached any more. What is attached stays so
  /// where its user still may. On an error nothing has changed.
  [[nodiscard]] base::Result<> listen(const std::optional<config::Attach>& attach);
  /// As those of AdminServer.
  void adopt(const std::string& path, process::FileDescriptor socket);
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] int descriptor() const noexcept {
    return listener_ == nullptr ? -1 : listener_->descriptor();
  }

 private:
  class Session;

  void begin(io::Listener& listener);
  void accept(int fd, const io::Peer& peer);
  void refuse(int link, const std::string& peer, std::string_view reason);
  bool take(Session& session, process::FileDescriptor socket);
  void drop(Session& session);
  [[nodiscard]] std::size_t count(uid_t user) const;

  io::EventLoop& loop_;
  log::Log& log_;
  Owner& owner_;
  const base::Duration patience_;
  std::string path_;
  std::unique_ptr<io::Listener> listener_;
  AttachRules rules_;
  log::Seldom refusals_;
  std::uint32_t last_id_ = 0;
  std::list<std::unique_ptr<Session>> sessions_;
};

}  // namespace trivet::host
