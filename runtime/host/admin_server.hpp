#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"
#include "runtime/host/admin_handler.hpp"
#include "runtime/host/admin_protocol.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/io/listener.hpp"
#include "runtime/log/log.hpp"
#include "runtime/log/seldom.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::host {

/// Somebody who waits through a binary upgrade: his connection, and what he has said of his command so far.
struct AdminWaiting {
  process::FileDescriptor connection;
  std::string said;
};

/// The admin socket: takes one command from each connection and gives the answer back. root and the user of
/// this process may ask, nobody else; who stops or drains is answered when the process ends, unless he does
/// not want to wait.
///
/// Thread    [loop]; listen() also [startup]
/// Lifetime  What it is made from outlives it. Where it goes, everybody who waits for the end is told of it,
///           and is left with an open connection until the process itself has ended.
/// Memory    `most_sessions` connections. At the bound the oldest that has not said anything yet is closed;
///           where all have, the new one is told so and closed.
/// Errors    Whatever a client sends or leaves out concerns his connection alone. A whole command has to
///           arrive within `patience`, and an answer has to be taken without a pause of that length.
class AdminServer {
 public:
  static constexpr std::size_t most_sessions = 64;

  AdminServer(io::EventLoop& loop, log::Log& log, AdminHandler& handler,
              base::Duration patience = std::chrono::seconds(5));
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  /// Listens on this path from now on, mode 0600; empty: on none. Connections are kept. Where that fails,
  /// nothing has changed.
  [[nodiscard]] base::Result<> listen(const std::string& path);
  /// The socket of another image of this program, for the first listen(). Where it is of no use, that makes
  /// one.
  void adopt(const std::string& path, process::FileDescriptor socket);
  /// For the next image: empty and -1 where there is none.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] int descriptor() const noexcept {
    return listener_ == nullptr ? -1 : listener_->descriptor();
  }
  /// Takes out all whose command has not arrived as a whole, to keep them through a binary upgrade.
  [[nodiscard]] std::vector<AdminWaiting> release_unheard();
  /// Somebody who waits since before an upgrade: what he asks is asked now. [loop]
  void hear(AdminWaiting waiting);
  /// A client that another image of this program released.
  [[nodiscard]] AdminReply adopt(process::FileDescriptor client);

 private:
  friend class AdminSession;

  void begin(std::unique_ptr<io::Listener> listener, const std::string& path);
  void accept(int fd, const io::Peer& peer);
  std::shared_ptr<AdminSession> add(int fd, std::string peer);
  bool make_room();
  void run(AdminSession& session, const AdminRequest& request);
  void forget(AdminSession& session);

  io::EventLoop& loop_;
  log::Log& log_;
  AdminHandler& handler_;
  const base::Duration patience_;
  std::string path_;
  std::unique_ptr<io::Listener> listener_;
  log::Seldom refusals_;
  std::list<std::shared_ptr<AdminSession>> sessions_;  ///< The oldest first.
};

}  // namespace trivet::host
