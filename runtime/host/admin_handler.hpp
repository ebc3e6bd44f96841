#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/process/file_descriptor.hpp"

namespace trivet::host {

class AdminSession;

/// The way back to whoever asked for something that takes its time. One made of nothing leads to nobody (a
/// signal asked), and so does that of a client who has gone meanwhile: all members may be called all the
/// same. Where it goes without an answer, the client is told that the host ended.
///
/// Thread    [loop]
/// Lifetime  May outlive its server.
class AdminReply {
 public:
  AdminReply() noexcept = default;
  explicit AdminReply(std::weak_ptr<AdminSession> to) noexcept : session_(std::move(to)) {}
  AdminReply(AdminReply&&) noexcept = default;
  AdminReply& operator=(AdminReply&& other) noexcept;
  AdminReply(const AdminReply&) = delete;
  AdminReply& operator=(const AdminReply&) = delete;
  ~AdminReply();

  /// `messages` are whole lines for standard error, as they are to be shown; `code` is the exit code.
  void answer(int code, std::string messages = {}, std::string data = {});
  /// Takes the client out of the server, unanswered, to keep it through a binary upgrade: the descriptor is
  /// for AdminServer::adopt(). Nothing where nobody waits.
  [[nodiscard]] process::FileDescriptor release();

 private:
  std::weak_ptr<AdminSession> session_;
};

/// Who does what is asked over the admin socket: the supervisor.
///
/// Thread  [loop]. None may block.
class AdminHandler {
 public:
  enum class End : std::uint8_t {
    graceful,  ///< Within shutdown_grace.
    drain,     ///< Accept no more, finish what runs, however long that takes.
    now,       ///< Whatever runs is cut.
  };

  AdminHandler() = default;
  AdminHandler(const AdminHandler&) = delete;
  AdminHandler& operator=(const AdminHandler&) = delete;
  virtual ~AdminHandler() = default;

  /// Answers 0 when the new generation serves and the old one accepts no more; 78 with the rendered
  /// diagnostics; 1 with what a plugin or the system said. May also be asked while one runs, or while the
  /// host ends.
  virtual void reload(AdminReply reply) = 0;
  /// Binary upgrade. Answers, from the new image, as reload() does.
  virtual void upgrade(AdminReply reply) = 0;
  /// With its last line's end.
  [[nodiscard]] virtual std::string status(bool json) = 0;
  /// May be asked again, and sharper, while it happens: `graceful` puts a bound to a drain that runs.
  virtual void end(End how) = 0;
  /// By a name as in `log.level`; false: there is no such level. Lasts until the next reload.
  [[nodiscard]] virtual bool set_level(std::string_view name) = 0;
};

}  // namespace trivet::host
