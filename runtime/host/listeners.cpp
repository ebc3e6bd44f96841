#include "runtime/host/listeners.hpp"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace trivet::host {
namespace {

std::string quoted_names(const std::vector<process::PassedSocket>& passed) {
  if (passed.empty()) return "none was passed";
  std::string text = "passed were";
  for (const process::PassedSocket& each : passed) text += " \"" + each.name + "\"";
  return text;
}

}  // namespace

std::vector<base::Error> Listeners::open(const std::vector<process::PassedSocket>& passed) {
  std::vector<base::Error> errors;
  std::set<int> taken;
  for (std::uint32_t listen = 0; listen < config_.listen.size(); ++listen) {
    const config::Listen& each = config_.listen[listen];
    io::ListenOptions options;
    options.backlog = each.backlog;
    if (const auto* local = std::get_if<config::UnixAddress>(&each.address)) {
      options.kind = io::ListenOptions::Kind::unix_path;
      options.path = local->path;
      if (each.mode) options.mode = *each.mode;
      options.group = each.group;
    } else if (const auto* tcp = std::get_if<config::TcpAddress>(&each.address)) {
      options.kind = io::ListenOptions::Kind::tcp;
      options.host = tcp->host;
      options.port = tcp->port;
    } else {
      options.kind = io::ListenOptions::Kind::descriptor;
    }
    if (const auto* by_name = std::get_if<config::SystemdAddress>(&each.address)) {
      const std::size_t before = taken.size();
      for (const process::PassedSocket& socket : passed) {
        if (socket.name != by_name->name) continue;
        taken.insert(socket.descriptor);
        options.fd = socket.descriptor;
        open_one(listen, options, errors);
      }
      if (taken.size() == before) {
        errors.push_back({base::ErrorCode::config_invalid,
                          each.place.file + ":" + std::to_string(each.place.line) + ": listen \"" +
                              each.name + "\": the service manager passed no socket of the name \"" +
                              by_name->name + "\" (" + quoted_names(passed) +
                              "; FileDescriptorName= in the .socket unit names it)"});
      }
      continue;
    }
    if (const auto* number = std::get_if<config::DescriptorAddress>(&each.address)) {
      options.fd = number->descriptor;
      taken.insert(options.fd);
    }
    open_one(listen, options, errors);
  }
  for (const process::PassedSocket& socket : passed) {
    if (taken.count(socket.descriptor) != 0) continue;
    log_.warn("a socket that the service manager passed is not used by any [[listen]]",
              {{"name", socket.name}});
    ::close(socket.descriptor);
  }
  return errors;
}

void Listeners::open_one(std::uint32_t listen, const io::ListenOptions& options,
                         std::vector<base::Error>& errors) {
  const config::Listen& from = config_.listen[listen];
  const auto fail = [&](const base::Error& error) {
    const std::string line = from.place.line == 0 ? "" : ":" + std::to_string(from.place.line);
    errors.push_back(
        {error.code, from.place.file + line + ": listen \"" + from.name + "\": " + error.message});
  };
  auto opened = io::Listener::open(options);
  if (!opened) {
    fail(opened.error());
    return;
  }
  const std::optional<base::IpAddress> bound = opened.value()->bound_to();
  auto rules = PeerRules::from(from, config_.web_servers, bound);
  if (!rules) {
    fail(rules.error());
    return;
  }
  if (bound && bound->is_loopback()) {
    log_.info("every user of this machine can connect, and so pose as the web server",
              {{"listen", from.name}});
  }
  sockets_.push_back({listen, std::move(opened).value(), std::move(rules).value(), !bound, {}});
}

base::Result<> Listeners::adopt(std::uint32_t listen, process::FileDescriptor socket) {
  io::ListenOptions options;
  options.kind = io::ListenOptions::Kind::descriptor;
  options.fd = socket.release();
  auto opened = io::Listener::open(options);
  if (!opened) return opened.error();
  const std::optional<base::IpAddress> bound = opened.value()->bound_to();
  auto rules = PeerRules::from(config_.listen[listen], config_.web_servers, bound);
  if (!rules) return rules.error();
  sockets_.push_back({listen, std::move(opened).value(), std::move(rules).value(), !bound, {}});
  if (loop_ != nullptr) start_one(sockets_.back());
  return base::success();
}

void Listeners::start(io::EventLoop& loop, OnAccept on_accept) {
  loop_ = &loop;
  on_accept_ = std::move(on_accept);
  for (Socket& socket : sockets_) start_one(socket);
}

void Listeners::start_one(Socket& socket) {
  socket.listener->on_trouble(
      [this](const base::Error& error) { log_.error("accepting rests", {{"reason", error.message}}); });
  socket.listener->start(*loop_, [this, &socket](int fd, const io::Peer& peer) {
    if (const std::string_view reason = socket.rules.refusal(peer); !reason.empty()) {
      ::close(fd);
      refuse(socket, peer, reason);
      return;
    }
    on_accept_(socket.listen, fd, peer);
  });
}

std::vector<std::pair<std::uint32_t, int>> Listeners::descriptors() const {
  std::vector<std::pair<std::uint32_t, int>> all;
  for (const Socket& each : sockets_) all.emplace_back(each.listen, each.listener->descriptor());
  return all;
}

void Listeners::refuse(Socket& socket, const io::Peer& peer, std::string_view reason) {
  const auto untold = socket.refusals.due(loop_->now());
  if (!untold) return;
  log_.warn("connection refused", {{"reason", reason},
                                   {"peer", peer.text},
                                   {"listen", config_.listen[socket.listen].name},
                                   {"others", std::to_string(*untold)}});
}

void Listeners::pause() {
  for (const Socket& each : sockets_) each.listener->pause();
}
void Listeners::resume() {
  for (const Socket& each : sockets_) each.listener->resume();
}
void Listeners::descriptor_freed() {
  for (const Socket& each : sockets_) each.listener->descriptor_freed();
}
void Listeners::stop() {
  for (const Socket& each : sockets_) each.listener->stop();
}

void Listeners::finish(const std::vector<std::uint32_t>& to_empty, std::function<void()> done) {
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
  const auto found = std::find_if(sockets_.begin(), sockets_.end(),
                                  [&](const Socket& each) { return each.listen == listen; });
  if (found == sockets_.end()) return "its listener is not open";
  if (found->local != peer.local) return "its listener is of another kind now";
  return found->rules.refusal(peer);
}

}  // namespace trivet::host
