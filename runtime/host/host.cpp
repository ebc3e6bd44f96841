#include "runtime/host/host.hpp"

#include <algorithm>
#include <csignal>
#include <random>
#include <string>

#include "runtime/io/socket.hpp"
#include "runtime/plugin/threads.hpp"
#include "runtime/process/signal_mask.hpp"

namespace trivet::host {
namespace {

/// For plugin threads whose request was cancelled, when the host ends.
constexpr auto plugin_patience = std::chrono::milliseconds(500);
/// A disk that has not answered for so long, while nobody waits for it any more, may never do.
constexpr auto disk_patience = std::chrono::seconds(5);
/// The supervisor looks every second.
constexpr auto between_beats = std::chrono::milliseconds(500);

using Decision = roles::Tally::Decision;
static_assert(static_cast<std::size_t>(Decision::allow) == process::WorkerCounters::allow &&
              static_cast<std::size_t>(Decision::deny) == process::WorkerCounters::deny &&
              static_cast<std::size_t>(Decision::error) == process::WorkerCounters::error);

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

Host::Host(const config::Config& config, log::Log& log, log::BatchedLog* access_log,
           std::unique_ptr<io::EventLoop> loop, Assembly assembly, std::size_t most_connections,
           process::WorkerCounters& counters)
    : config_(config),
      log_(log),
      access_log_(access_log),
      loop_(std::move(loop)),
      assembly_(std::move(assembly)),
      counters_(counters),
      spools_(config.spool_dir, config.limits.spool_bytes),
      environment_(*loop_, log, config.limits, *assembly_.router, spools_, *this),
      context_{environment_,
               counters_,
               loop_->read_buffer(),
               {},
               {most_connections, config.limits.concurrent_per_connection}},
      most_connections_(most_connections),
      listeners_(config, log) {
  environment_.id_seed = std::random_device{}();
  environment_.journal = {
      access_log, {config.log.redact.begin(), config.log.redact.end()}, config.log.request_id};
  if (access_log_ != nullptr) access_log_->start(*loop_);
}

Host::~Host() {
  connections_.clear();
  if (access_log_ != nullptr) access_log_->stop();  // Before its loop.
}

base::Result<> Host::take_signals() {
  auto signals = io::Signals::open(*loop_, [this](int number) { on_signal(number); });
  if (!signals) return signals.error();
  signals_ = std::move(signals).value();
  return base::success();
}

void Host::run() {
  listeners_.start(*loop_,
                   [this](std::uint32_t listen, int fd, const io::Peer& peer) { accept(listen, fd, peer); });
  struct Ringing final : base::Task {
    void run() override { wakeups.ring(); }
    plugin::Wakeups wakeups;
  } ringing;
  loop_->set_between(&ringing);
  loop_->run();
  loop_->set_between(nullptr);
  process::hold_signals();
  signals_.reset();
}

void Host::accept(std::uint32_t listen, int fd, const io::Peer& peer) {
  process::add(counters_.connections_accepted);
  Connection& connection = add_connection(listen, peer);
  connection.start(io::adopt(*loop_, fd, connection));
}

Connection& Host::add_connection(std::uint32_t listen, const io::Peer& peer) {
  process::add(counters_.connections_open);
  // One more than allowed is possible, for a moment: whoever was accepted is served. A retiring worker has
  // fewer and fewer, and closes none that can move.
  if (connections_.size() >= most_connections_ && !context_.retiring && !evict()) rest();
  const roles::Request::Origin origin{listen, config_.listen[listen].accept_steering};
  Connection::Owner& owner = *this;
  connections_.push_back(std::make_unique<Connection>(owner, context_, peer.text, origin));
  connections_.back()->slot = connections_.size() - 1;
  return *connections_.back();
}

/// Closes the longest idle connection; false if none is idle.
bool Host::evict() {
  for (int look = 0; look < 2; ++look) {
    while (!idlest_.empty()) {
      const Candidate oldest = idlest_.back();
      idlest_.pop_back();
      // Whoever was active meanwhile has been idle for less time than all that are left.
      if (!oldest.connection->is_idle() || oldest.connection->last_active() != oldest.active) continue;
      process::add(counters_.limits_hit);
      if (const auto untold = evictions_.due(loop_->now())) {
        log_.warn("the longest idle connection was closed for a new one",
                  {{"reason", "as many connections are open as limits.connections or the descriptors allow"},
                   {"others", std::to_string(*untold)}});
      }
      oldest.connection->abandon();
      return true;
    }
    if (look == 0) find_idlest();
  }
  return false;
}

/// A share of the idle connections, so that one look at all of them serves for many evictions: all others
/// were active later, and whatever happens to them makes that only truer.
void Host::find_idlest() {
  for (const auto& each : connections_) {
    if (each->is_idle()) idlest_.push_back({each.get(), each->last_active()});
  }
  const auto later = [](const Candidate& a, const Candidate& b) { return a.active > b.active; };
  const std::size_t share = std::max<std::size_t>(16, idlest_.size() / 64);
  if (idlest_.size() > share) {
    const auto from = idlest_.end() - static_cast<std::ptrdiff_t>(share);
    std::nth_element(idlest_.begin(), from, idlest_.end(), later);
    idlest_.erase(idlest_.begin(), from);
  }
  std::sort(idlest_.begin(), idlest_.end(), later);
}

/// Clients wait in the backlog.
void Host::rest() {
  loop_->timers().arm(rested_, loop_->now() + std::chrono::milliseconds(100));
  if (std::exchange(full_, true)) return;
  process::add(counters_.limits_hit);
  log_.warn("accepting rests",
            {{"reason",
              "as many connections are open as limits.connections or the descriptors allow, and "
              "none of them is idle"}});
  listeners_.pause();
}

void Host::on_rested(base::TimePoint /*now*/) {
  if (!full_ || environment_.stopping || context_.retiring) return;
  if (connections_.size() >= most_connections_ && !evict()) {
    rest();
  } else if (std::exchange(full_, false)) {
    listeners_.resume();
  }
}

/// Takes it from the list, which ends it.
void Host::forget(const Connection& connection) {
  std::erase_if(idlest_, [&](const Candidate& each) { return each.connection == &connection; });
  const std::size_t slot = connection.slot;
  const std::unique_ptr<Connection> gone = std::move(connections_[slot]);
  if (slot + 1 != connections_.size()) {
    connections_[slot] = std::move(connections_.back());
    connections_[slot]->slot = slot;
  }
  connections_.pop_back();
  process::subtract(counters_.connections_open);
}

void Host::on_connection_dead(Connection& connection) {
  forget(connection);
  process::add(counters_.connections_closed);
  listeners_.descriptor_freed();
  if (environment_.stopping || context_.retiring) {
    end_if_done();
    return;
  }
  if (full_ && connections_.size() < most_connections_) {
    full_ = false;
    listeners_.resume();
  }
}

void Host::on_signal(int number) {
  switch (number) {
    case SIGHUP:
      reopen_logs();
      log_.info(
          "SIGHUP: the logs were reopened; a reload needs worker processes: server.processes, --processes");
      break;
    case SIGUSR2:
      log_.warn("SIGUSR2 is ignored: an upgrade needs worker processes: server.processes, --processes");
      break;
    default:
      stop();
  }
}

void Host::suspend(std::string_view names) {
  const std::string lines = "\n" + std::string(names);
  for (const auto& each : assembly_.plugins)
    each->suspend(lines.find("\n" + each->name() + "\n") != std::string::npos);
}

void Host::reopen_logs() {
  log_.reopen();
  if (access_log_ != nullptr) access_log_->reopen();
}

void Host::stop(Grace grace) {
  if (grace == Grace::bounded && !grace_.armed() && !cancelled_)
    loop_->timers().arm(grace_, loop_->now() + config_.server.shutdown_grace);
  if (environment_.stopping) return;
  log_.info("stopping", {{"connections", std::to_string(connections_.size())}});
  environment_.stopping = true;
  process::tell_service_manager("STOPPING=1");
  listeners_.stop();
  if (mover_ != nullptr) mover_->stop();
  // Telling one may take it, and only it, from the list.
  for (std::size_t i = connections_.size(); i > 0; --i) connections_[i - 1]->stop();
  end_if_done();
}

void Host::on_grace_over(base::TimePoint /*now*/) {
  if (cancelled_) {
    loop_->stop();
  } else {
    cancel_what_runs("shutdown_grace is over: what still runs is cancelled");
  }
}

void Host::cancel_what_runs(std::string_view why) {
  if (std::exchange(cancelled_, true)) return;
  log_.warn(why, {{"connections", std::to_string(connections_.size())}});
  for (std::size_t i = connections_.size(); i > 0; --i) connections_[i - 1]->abandon();
  // Plugins that look whether they are cancelled come back now, and are unloaded in order.
  loop_->timers().arm(grace_, loop_->now() + plugin_patience);
  end_if_done();
}

void Host::end_if_done() {
  if (!environment_.stopping && !deaf_) return;
  if (!connections_.empty() || (mover_ != nullptr && mover_->is_busy())) return;
  // A lost thread keeps its request, and would keep the host.
  if (environment_.in_use() <= threads_lost_) {
    loop_->stop();
    return;
  }
  // Some plugin thread still holds a request that was answered or cancelled long ago.
  loop_->timers().arm(look_again_, loop_->now() + std::chrono::milliseconds(10));
}

void Host::on_look_again(base::TimePoint /*now*/) { end_if_done(); }

void Host::begin_beating(process::WorkerSlot& slot) {
  slot_ = &slot;
  on_beat(loop_->now());
}

void Host::on_beat(base::TimePoint now) {
  process::add(slot_->beats);
  threads_lost_ = look_at_threads(now);
  process::set(slot_->threads_lost, threads_lost_);
  // Another worker would lose its own to the same disk: this is no reason to replace this one.
  if (assembly_.disk != nullptr) threads_lost_ += assembly_.disk->load(now, disk_patience).lost;
  loop_->timers().arm(beat_, now + between_beats);
}

/// How many may never come back.
std::uint64_t Host::look_at_threads(base::TimePoint now) {
  std::uint64_t lost = 0;
  for (const auto& each : assembly_.plugins) {
    const plugin::Workers::Load load = each->load(now);
    const std::uint64_t before = each->usage().threads_lost();
    each->usage().threads(load);
    lost += load.lost;
    if (load.lost <= before) continue;
    log_.error("a plugin thread does not come back from a call that nobody waits for any more",
               {{"plugin", each->name()}, {"lost", std::to_string(load.lost)}});
  }
  return lost;
}

bool Host::quiet() {
  bool hung = false;
  for (const auto& each : assembly_.plugins) {
    if (each->abandon(plugin_patience)) {
      hung = true;
      log_.error("a plugin thread did not come back", {{"plugin", each->name()}});
    }
  }
  if (assembly_.disk != nullptr && assembly_.disk->abandon(plugin_patience)) {
    hung = true;
    log_.error("a disk thread did not come back");
  }
  return !hung && environment_.in_use() == 0;
}

void Host::request(const roles::Route* route, roles::Slice slice) noexcept {
  process::add(counters_.requests[role_of(slice)]);
  if (route != nullptr) process::add(assembly_.counted.routes[route->column].requests);
}

void Host::response(const roles::Route* route, int status, base::Duration to_head) noexcept {
  const std::size_t which = process::response_class(status);
  process::add(counters_.responses[which]);
  if (route == nullptr) return;
  process::RouteCounters& counters = assembly_.counted.routes[route->column];
  process::add(counters.responses[which]);
  process::add(counters.head_time, static_cast<std::uint64_t>(std::chrono::nanoseconds(to_head).count()));
}

void Host::decided(const roles::Route* route, Decision decision) noexcept {
  const auto which = static_cast<std::size_t>(decision);
  process::add(counters_.verdicts[which]);
  if (route != nullptr) process::add(assembly_.counted.routes[route->column].verdicts[which]);
}

void Host::limit_hit() noexcept { process::add(counters_.limits_hit); }
void Host::in_use(std::size_t requests) noexcept { process::set(counters_.requests_open, requests); }

}  // namespace trivet::host
