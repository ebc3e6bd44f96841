#pragma once

#include <memory>
#include <string>

#include "runtime/base/buffer.hpp"
#include "runtime/base/timer_queue.hpp"
#include "runtime/host/admin_protocol.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/io/transport.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::host {

class AdminServer;

/// One connection to the admin socket. Private to AdminServer and AdminReply.
///
/// Thread    [loop]
/// Lifetime  The server's list holds it; a reply that is still to come does not.
class AdminSession final : public io::TransportEvents, public std::enable_shared_from_this<AdminSession> {
 public:
  /// reading -> working -> writing -> gone; reading leads to writing too (a command that is none), and every
  /// state to gone. `parting` is `working` until the process ends.
  enum class State : std::uint8_t { reading, working, parting, writing, gone };

  AdminSession(AdminServer& server, io::EventLoop& loop, base::Duration patience, int fd, std::string peer);

  /// Takes the command, of which this was said before.
  void start(std::string said = {});
  /// One whose command was taken by another image of this program.
  void resume();
  /// Nobody answers before the end.
  void wait_for_end() noexcept { state_ = State::parting; }
  /// Once; then it is gone.
  void answer(const AdminAnswer& answer);
  /// The process ends: answers if it was to wait for that. The connection stays open until it has.
  void part();
  /// Nothing where it is not working.
  [[nodiscard]] process::FileDescriptor release();
  /// Of one whose command has not arrived as a whole: what has, in `said`. Nothing for any other.
  [[nodiscard]] process::FileDescriptor release_unheard(std::string& said);
  /// It is gone, and told nothing.
  void close();

  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }

 private:
  void on_readable() override;
  void on_writable() override;
  void on_hangup() override { close(); }
  void on_late(base::TimePoint /*now*/) { close(); }

  void read();
  void look_for_the_end();
  [[nodiscard]] process::FileDescriptor keep();
  void take(std::string_view line, bool alone);
  void write();

  AdminServer& server_;
  io::EventLoop& loop_;
  const base::Duration patience_;
  const int fd_;  ///< The transport's.
  std::string peer_;
  State state_ = State::reading;
  std::string line_;
  base::Buffer output_;
  std::unique_ptr<io::Transport> transport_;
  base::MemberTimer<AdminSession, &AdminSession::on_late> late_{*this};
};

}  // namespace trivet::host
