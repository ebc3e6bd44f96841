#include "runtime/host/admin_server.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime/host/admin_session.hpp"
#include "runtime/host/serving.hpp"

namespace trivet::host {
namespace {

constexpr std::string_view name_of(AdminRequest::Command command) noexcept {
  switch (command) {
    case AdminRequest::Command::reload:
      return "reload";
    case AdminRequest::Command::upgrade:
      return "upgrade";
    case AdminRequest::Command::status:
      return "status";
    case AdminRequest::Command::stop:
      return "stop";
    case AdminRequest::Command::drain:
      return "drain";
    case AdminRequest::Command::log_level:
      return "log-level";
  }
  return {};
}

}  // namespace

// --- the way back ---

AdminReply& AdminReply::operator=(AdminReply&& other) noexcept {
  if (this != &other) {
    AdminReply gone(std::move(*this));
    session_ = std::move(other.session_);
  }
  return *this;
}

AdminReply::~AdminReply() { answer(exit_failed, "trivet: the host ended before it was done\n"); }

void AdminReply::answer(int code, std::string messages, std::string data) {
  if (const auto session = std::exchange(session_, {}).lock())
    session->answer({code, std::move(messages), std::move(data)});
}

process::FileDescriptor AdminReply::release() {
  const auto session = std::exchange(session_, {}).lock();
  return session ? session->release() : process::FileDescriptor();
}

// --- the server ---

AdminServer::AdminServer(io::EventLoop& loop, log::Log& log, AdminHandler& handler, base::Duration patience)
    : loop_(loop), log_(log), handler_(handler), patience_(patience) {}

AdminServer::~AdminServer() {
  for (const auto& each : std::list(sessions_)) each->part();
}

base::Result<> AdminServer::listen(const std::string& path) {
  if (path == path_ && (path.empty() || (listener_ != nullptr && listener_->is_reachable())))
    return base::success();
  std::unique_ptr<io::Listener> next;
  if (!path.empty()) {
    io::ListenOptions options;
    options.kind = io::ListenOptions::Kind::unix_path;
    options.path = path;
    options.mode = 0600;
    auto opened = io::Listener::open(options);
    if (!opened) return base::Error{opened.error().code, "server.admin: " + opened.error().message};
    next = std::move(opened).value();
  }
  begin(std::move(next), path);
  return base::success();
}

void AdminServer::begin(std::unique_ptr<io::Listener> listener, const std::string& path) {
  listener_ = std::move(listener);
  path_ = path;
  if (listener_ == nullptr) return;
  listener_->on_trouble([this](const base::Error& error) {
    log_.error("the admin socket takes nobody", {{"reason", error.message}});
  });
  listener_->start(loop_, [this](int fd, const io::Peer& peer) { accept(fd, peer); });
}

void AdminServer::adopt(const std::string& path, process::FileDescriptor socket) {
  io::ListenOptions options;
  options.kind = io::ListenOptions::Kind::descriptor;
  options.fd = socket.release();
  options.path = path;
  if (auto listener = io::Listener::open(options)) begin(std::move(listener).value(), path);
}

void AdminServer::accept(int fd, const io::Peer& peer) {
  const bool may =
      peer.local && (peer.uid == 0 || peer.uid == ::geteuid()) && peer.uid != static_cast<uid_t>(-1);
  if (!may) {
    ::close(fd);
    if (const auto untold = refusals_.due(loop_.now())) {
      log_.warn("somebody who may not was refused at the admin socket",
                {{"peer", peer.text}, {"others", std::to_string(*untold)}});
    }
    return;
  }
  if (make_room()) {
    add(fd, peer.text)->start();
  } else {
    add(fd, peer.text)->answer({exit_failed, "trivet: too many commands are waiting for the host\n", {}});
  }
}

/// False where everybody has a command that runs.
bool AdminServer::make_room() {
  if (sessions_.size() < most_sessions) return true;
  const auto oldest = std::find_if(sessions_.begin(), sessions_.end(), [](const auto& each) {
    return each->state() == AdminSession::State::reading;
  });
  if (oldest == sessions_.end()) return false;
  (*oldest)->close();
  return true;
}

std::shared_ptr<AdminSession> AdminServer::add(int fd, std::string peer) {
  sessions_.push_back(std::make_shared<AdminSession>(*this, loop_, patience_, fd, std::move(peer)));
  return sessions_.back();
}

std::vector<AdminWaiting> AdminServer::release_unheard() {
  std::vector<AdminWaiting> unheard;
  for (const auto& each : std::list(sessions_)) {
    AdminWaiting waiting;
    waiting.connection = each->release_unheard(waiting.said);
    if (waiting.connection.is_open()) unheard.push_back(std::move(waiting));
  }
  return unheard;
}

void AdminServer::hear(AdminWaiting waiting) {
  if (waiting.connection.is_open())
    add(waiting.connection.release(), "somebody who waited over an upgrade")->start(std::move(waiting.said));
}

AdminReply AdminServer::adopt(process::FileDescriptor client) {
  if (!client.is_open()) return {};
  const auto session = add(client.release(), "the client of an upgrade");
  session->resume();
  return AdminReply(session);
}

void AdminServer::run(AdminSession& session, const AdminRequest& request) {
  using Command = AdminRequest::Command;
  const std::initializer_list<log::Field> fields{{"command", name_of(request.command)},
                                                 {"peer", session.peer()}};
  if (request.command == Command::status) {
    log_.debug("asked over the admin socket", fields);
  } else {
    log_.info("asked over the admin socket", fields);
  }
  switch (request.command) {
    case Command::reload:
      handler_.reload(AdminReply(session.weak_from_this()));
      break;
    case Command::upgrade:
      handler_.upgrade(AdminReply(session.weak_from_this()));
      break;
    case Command::status:
      session.answer({exit_ok, {}, handler_.status(request.json)});
      break;
    case Command::stop:
    case Command::drain:
      if (request.wait) {
        session.wait_for_end();
      } else {
        session.answer({exit_ok, {}, {}});
      }
      handler_.end(request.now                         ? AdminHandler::End::now
                   : request.command == Command::drain ? AdminHandler::End::drain
                                                       : AdminHandler::End::graceful);
      break;
    case Command::log_level:
      if (handler_.set_level(request.level)) {
        session.answer({exit_ok, {}, {}});
      } else {
        session.answer({exit_usage, "trivet: there is no log level \"" + request.level + "\"\n", {}});
      }
      break;
  }
}

void AdminServer::forget(AdminSession& session) {
  sessions_.remove_if([&](const auto& each) { return each.get() == &session; });
}

}  // namespace trivet::host
