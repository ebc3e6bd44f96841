#include "runtime/host/host.hpp"

#include <csignal>
#include <random>
#include <string>

#include "runtime/io/socket.hpp"

namespace trivet::host {
namespace {

io::ListenOptions listen_options(const config::Listen& from) {
  io::ListenOptions options;
  options.backlog = from.backlog;
  if (const auto* unix_address = std::get_if<config::UnixAddress>(&from.address)) {
    options.kind = io::ListenOptions::Kind::unix_path;
    options.path = unix_address->path;
    if (from.mode) options.mode = *from.mode;
    options.group = from.group;
  } else if (const auto* tcp = std::get_if<config::TcpAddress>(&from.address)) {
    options.kind = io::ListenOptions::Kind::tcp;
    options.host = tcp->host;
    options.port = tcp->port;
  } else {
    options.kind = io::ListenOptions::Kind::descriptor;
    options.fd = std::get<config::DescriptorAddress>(from.address).descriptor;
  }
  return options;
}

std::size_t role_of(roles::Slice slice) noexcept {
  switch (slice) {
    case roles::Slice::responder:
      return process::WorkerCounters::responder;
    case roles::Slice::authorizer:
      return process::WorkerCounters::authorizer;
    case roles::Slice::filter:
      return process::WorkerCounters::filter;
  }
  return process::WorkerCounters::responder;
}

}  // namespace

Host::Host(const config::Config& config, log::Log& log, std::unique_ptr<io::EventLoop> loop,
           Assembly assembly, std::size_t most_connections)
    : config_(config),
      log_(log),
      assembly_(std::move(assembly)),
      loop_(std::move(loop)),
      spools_(config.spool_dir, config.limits.spool_bytes),
      environment_(*loop_, log, config.limits, *assembly_.router, spools_, *this),
      context_{environment_,
               counters_,
               loop_->read_buffer(),
               {},
               {most_connections, config.limits.concurrent_per_connection}},
      most_connections_(most_connections) {
  environment_.id_seed = std::random_device{}();
}

Host::~Host() {
  connections_.clear();
  listeners_.clear();
}

std::vector<base::Error> Host::listen() {
  std::vector<base::Error> errors;
  for (const config::Listen& each : config_.listen) {
    auto opened = io::Listener::open(listen_options(each));
    if (opened) {
      listeners_.push_back(std::move(opened).value());
    } else {
      errors.push_back({opened.error().code, each.place.file + ":" + std::to_string(each.place.line) +
                                                 ": listen \"" + each.name +
                                                 "\": " + opened.error().message});
    }
  }
  return errors;
}

base::Result<> Host::run() {
  auto signals = io::Signals::open(*loop_, [this](int number) { on_signal(number); });
  if (!signals) return signals.error();
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    listeners_[i]->on_trouble(
        [this](const base::Error& error) { log_.error("accepting rests", {{"reason", error.message}}); });
    listeners_[i]->start(
        *loop_, [this, i](int fd, const io::Peer& peer) { accept(static_cast<std::uint32_t>(i), fd, peer); });
  }
  loop_->run();
  return base::success();
}

void Host::accept(std::uint32_t listener, int fd, const io::Peer& peer) {
  process::add(counters_.connections_accepted);
  process::add(counters_.connections_open);
  const roles::Request::Origin origin{listener, config_.listen[listener].accept_steering};
  Connection::Owner& owner = *this;
  connections_.push_back(std::make_unique<Connection>(owner, context_, peer.text, origin));
  Connection& connection = *connections_.back();
  connection.slot = connections_.size() - 1;
  if (connections_.size() >= most_connections_ && !full_) {
    full_ = true;
    process::add(counters_.limits_hit);
    log_.warn("accepting rests",
              {{"reason", "as many connections are open as limits.connections or the descriptors allow"}});
    for (const auto& each : listeners_) each->pause();
  }
  connection.start(io::adopt(*loop_, fd, connection));
}

void Host::on_connection_dead(Connection& connection) {
  const std::size_t slot = connection.slot;
  const std::unique_ptr<Connection> gone = std::move(connections_[slot]);
  if (slot + 1 != connections_.size()) {
    connections_[slot] = std::move(connections_.back());
    connections_[slot]->slot = slot;
  }
  connections_.pop_back();
  process::add(counters_.connections_closed);
  process::subtract(counters_.connections_open);
  if (environment_.stopping) {
    end_if_done();
    return;
  }
  for (const auto& each : listeners_) each->descriptor_freed();
  if (full_) {
    full_ = false;
    for (const auto& each : listeners_) each->resume();
  }
}

void Host::on_signal(int number) {
  switch (number) {
    case SIGHUP:
      log_.reopen();
      log_.warn("SIGHUP: the log was reopened; reloading is not served by this version yet");
      break;
    case SIGUSR2:
      log_.warn("SIGUSR2: binary upgrade is not served by this version yet");
      break;
    default:
      stop();
  }
}

/// Takes no more, finishes what runs, within shutdown_grace. Saying it again changes nothing.
void Host::stop() {
  if (environment_.stopping) return;
  log_.info("stopping", {{"connections", std::to_string(connections_.size())}});
  environment_.stopping = true;
  for (const auto& each : listeners_) each->stop();
  loop_->timers().arm(grace_, loop_->now() + config_.server.shutdown_grace);
  // Telling one may take it, and only it, from the list.
  for (std::size_t i = connections_.size(); i > 0; --i) connections_[i - 1]->stop();
  end_if_done();
}

void Host::on_grace_over(base::TimePoint /*now*/) {
  log_.warn("shutdown_grace is over: what still runs is cancelled",
            {{"connections", std::to_string(connections_.size())}});
  for (std::size_t i = connections_.size(); i > 0; --i) connections_[i - 1]->abandon();
  loop_->stop();
}

void Host::end_if_done() {
  if (!connections_.empty()) return;
  if (environment_.in_use() == 0) {
    loop_->stop();
    return;
  }
  // Some plugin thread still holds a request that was answered or cancelled long ago.
  loop_->timers().arm(look_again_, loop_->now() + std::chrono::milliseconds(10));
}

void Host::on_look_again(base::TimePoint /*now*/) { end_if_done(); }

bool Host::quiet() {
  bool hung = false;
  for (const auto& each : assembly_.plugins) {
    if (each->abandon(std::chrono::seconds(1))) {
      hung = true;
      log_.error("a plugin thread did not come back", {{"plugin", each->name()}});
    }
  }
  return !hung && environment_.in_use() == 0;
}

void Host::request(roles::Slice slice) noexcept { process::add(counters_.requests[role_of(slice)]); }
void Host::response(int status) noexcept {
  process::add(counters_.responses[process::response_class(status)]);
}
void Host::allowed() noexcept { process::add(counters_.verdicts[process::WorkerCounters::allow]); }
void Host::denied() noexcept { process::add(counters_.verdicts[process::WorkerCounters::deny]); }
void Host::limit_hit() noexcept { process::add(counters_.limits_hit); }

}  // namespace trivet::host
