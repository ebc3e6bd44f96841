#include "runtime/host/socket_pool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <variant>

#include "runtime/host/peer_rules.hpp"

namespace trivet::host {
namespace {

std::string quoted_names(const std::vector<process::PassedSocket>& passed) {
  if (passed.empty()) return "none was passed";
  std::string text = "passed were";
  for (const process::PassedSocket& each : passed) text += " \"" + each.name + "\"";
  return text;
}

base::Error at(const config::Listen& from, const base::Error& error) {
  const std::string line = from.place.line == 0 ? "" : ":" + std::to_string(from.place.line);
  return {error.code, from.place.file + line + ": listen \"" + from.name + "\": " + error.message};
}

}  // namespace

struct SocketPool::Wanted {
  const config::Config& config;
  std::uint32_t listen;
  std::string key;
  io::ListenOptions options;
};

SocketPool::SocketPool(std::vector<process::PassedSocket> passed, log::Log& log)
    : passed_(std::move(passed)), log_(log) {}

SocketPool::~SocketPool() {
  for (const process::PassedSocket& each : passed_) ::close(each.descriptor);
}

void SocketPool::adopt(const std::vector<Inheritance::Socket>& sockets, std::vector<base::Error>& errors) {
  told_ = true;
  for (const Inheritance::Socket& each : sockets) {
    io::ListenOptions options;
    options.kind = io::ListenOptions::Kind::descriptor;
    options.fd = each.descriptor;
    options.path = each.path;
    auto listener = io::Listener::open(options);
    if (!listener) {
      errors.push_back(listener.error());
      continue;
    }
    inherited_.emplace_back(std::move(listener).value());
    open_[each.key] = inherited_.back();
  }
}

std::vector<Inheritance::Socket> SocketPool::open_sockets() const {
  constexpr std::string_view unix_key = "unix:";
  std::vector<Inheritance::Socket> sockets;
  for (const auto& [key, weak] : open_) {
    const auto socket = weak.lock();
    if (socket == nullptr || socket->descriptor() < 0) continue;
    const bool has_file = key.starts_with(unix_key);
    sockets.push_back({key, has_file ? key.substr(unix_key.size()) : std::string(), socket->descriptor()});
  }
  return sockets;
}

std::vector<OpenSocket> SocketPool::open(const config::Config& config, std::vector<base::Error>& errors) {
  std::vector<OpenSocket> opened;
  for (std::uint32_t listen = 0; listen < config.listen.size(); ++listen) {
    const config::Listen& each = config.listen[listen];
    if (std::holds_alternative<config::AttachedAddress>(each.address)) continue;
    Wanted wanted{config, listen, each.text, {}};
    wanted.options.backlog = each.backlog;
    if (const auto* local = std::get_if<config::UnixAddress>(&each.address)) {
      wanted.options.kind = io::ListenOptions::Kind::unix_path;
      wanted.options.path = local->path;
      if (each.mode) wanted.options.mode = *each.mode;
      wanted.options.group = each.group;
      wanted.key = "unix:" + local->path;
    } else if (const auto* tcp = std::get_if<config::TcpAddress>(&each.address)) {
      wanted.options.kind = io::ListenOptions::Kind::tcp;
      wanted.options.host = tcp->host;
      wanted.options.port = tcp->port;
      wanted.key = "tcp:" + tcp->host + " " + std::to_string(tcp->port);
    } else if (const auto* number = std::get_if<config::DescriptorAddress>(&each.address)) {
      wanted.options.kind = io::ListenOptions::Kind::descriptor;
      wanted.options.fd = number->descriptor;
      wanted.key = "fd:" + std::to_string(number->descriptor);
      for (process::PassedSocket& passed : passed_) {
        if (passed.descriptor == number->descriptor) used_.insert(passed.descriptor);
      }
    } else if (const auto* by_name = std::get_if<config::SystemdAddress>(&each.address)) {
      open_passed(config, listen, by_name->name, opened, errors);
      continue;
    }
    open_one(wanted, opened, errors);
  }
  if (!std::exchange(told_, true)) tell_of_unused();
  return opened;
}

void SocketPool::open_passed(const config::Config& config, std::uint32_t listen, const std::string& name,
                             std::vector<OpenSocket>& opened, std::vector<base::Error>& errors) {
  bool found = false;
  for (const process::PassedSocket& passed : passed_) {
    if (passed.name != name) continue;
    found = true;
    used_.insert(passed.descriptor);
    Wanted wanted{config, listen, "systemd:" + name + " " + std::to_string(passed.descriptor), {}};
    wanted.options.kind = io::ListenOptions::Kind::descriptor;
    wanted.options.backlog = config.listen[listen].backlog;
    wanted.options.fd = passed.descriptor;
    open_one(wanted, opened, errors);
  }
  if (found) return;
  errors.push_back(at(config.listen[listen],
                      {base::ErrorCode::config_invalid,
                       "the service manager passed no socket of the name \"" + name + "\" (" +
                           quoted_names(passed_) + "; FileDescriptorName= in the .socket unit names it)"}));
}

void SocketPool::open_one(const Wanted& wanted, std::vector<OpenSocket>& opened,
                          std::vector<base::Error>& errors) {
  const config::Listen& from = wanted.config.listen[wanted.listen];
  std::shared_ptr<io::Listener> socket = open_[wanted.key].lock();
  const io::Listener* const before = socket.get();
  if (socket != nullptr && !socket->is_reachable()) socket.reset();  // Somebody removed its file.
  if (socket != nullptr) {
    if (const auto adjusted = socket->adjust(wanted.options); !adjusted) {
      errors.push_back(at(from, adjusted.error()));
      return;
    }
  } else {
    io::ListenOptions options = wanted.options;
    if (used_.count(options.fd) != 0) {
      // The service manager's own stays with the pool.
      options.fd = ::fcntl(options.fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    }
    auto listener = io::Listener::open(options);
    if (!listener) {
      errors.push_back(at(from, listener.error()));
      return;
    }
    socket = std::move(listener).value();
    open_[wanted.key] = socket;
  }
  const std::optional<base::IpAddress> bound = socket->bound_to();
  if (const auto rules = PeerRules::from(from, wanted.config.web_servers, bound); !rules) {
    errors.push_back(at(from, rules.error()));
    return;
  }
  if (bound && bound->is_loopback() && socket.get() != before) {
    log_.info("every user of this machine can connect, and so pose as the web server",
              {{"listen", from.name}});
  }
  opened.push_back({wanted.listen, std::move(socket)});
}

void SocketPool::tell_of_unused() {
  for (const process::PassedSocket& each : passed_) {
    if (used_.count(each.descriptor) != 0) continue;
    log_.warn("a socket that the service manager passed is not used by any [[listen]]",
              {{"name", each.name}});
  }
}

}  // namespace trivet::host
