#include "runtime/host/worker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/host/generation.hpp"
#include "runtime/host/host.hpp"
#include "runtime/host/line.hpp"
#include "runtime/host/numbers.hpp"
#include "runtime/host/serving.hpp"
#include "runtime/host/start.hpp"
#include "runtime/host/team.hpp"
#include "runtime/host/unprivileged.hpp"
#include "runtime/host/zones.hpp"
#include "runtime/io/descriptor_limit.hpp"
#include "runtime/io/watch.hpp"
#include "runtime/plugin/current.hpp"
#include "runtime/process/board.hpp"
#include "runtime/process/channel.hpp"
#include "runtime/process/heap.hpp"
#include "runtime/process/leash.hpp"
#include "runtime/process/worker_start.hpp"

namespace trivet::host {
namespace {

process::Whose whose_code() noexcept {
  const plugin::Current* const current = plugin::current_plugin();
  if (current == nullptr) return {};
  return {current->name, plugin::current_route()};
}

bool send(process::Channel& channel, Word word, std::string_view text = {}) {
  return channel.send(static_cast<std::uint32_t>(word), text) == process::Channel::Outcome::done;
}

/// Waits for the first message. Nothing when the supervisor is gone.
std::optional<process::Message> wait_for_message(process::Channel& channel) {
  process::Message message;
  for (;;) {
    switch (channel.receive(message)) {
      case process::Channel::Outcome::done:
        return message;
      case process::Channel::Outcome::empty:
        break;
      case process::Channel::Outcome::full:
      case process::Channel::Outcome::gone:
        return std::nullopt;
    }
    pollfd waiting{channel.descriptor(), POLLIN, 0};
    if (::poll(&waiting, 1, -1) < 0 && errno != EINTR) return std::nullopt;
  }
}

/// A host, and the supervisor that it listens to.
class Worker {
 public:
  Worker(process::Channel& channel, process::WorkerSlot& slot, Host& host, const config::Config& config,
         log::Log& log)
      : channel_(channel), slot_(slot), host_(host), config_(config), log_(log) {}

  base::Result<> run() {
    auto watch = io::Watch::open(host_.loop(), channel_.descriptor(), [this] { on_message(); });
    if (!watch) return watch.error();
    watch_ = std::move(watch).value();
    if (auto taken = host_.take_signals(); !taken) return taken.error();
    host_.begin_beating(slot_);
    if (!send(channel_, Word::ready)) host_.stop();
    host_.run();
    watch_.reset();  // Before its loop.
    return base::success();
  }

 private:
  void on_message() {
    process::Message message;
    for (;;) {
      switch (channel_.receive(message)) {
        case process::Channel::Outcome::done:
          take(message);
          break;
        case process::Channel::Outcome::empty:
          return;
        case process::Channel::Outcome::full:
        case process::Channel::Outcome::gone:
          log_.warn("the supervisor is gone: this worker finishes what runs and ends");
          watch_.reset();
          host_.mover().on_supervisor_gone();
          host_.stop();
          return;
      }
    }
  }

  void take(process::Message& message) {
    switch (static_cast<Word>(message.kind)) {
      case Word::listen:
        listen(message);
        break;
      case Word::stop:
        host_.stop(message.text == "drain" ? Host::Grace::unbounded : Host::Grace::bounded);
        break;
      case Word::reopen:
        host_.reopen_logs();
        break;
      case Word::level:
        if (const auto level = log::level_named(message.text)) log_.set_level(*level);
        break;
      case Word::retire:
        host_.retire(read_numbers(message.text).value_or(std::vector<std::uint32_t>()));
        break;
      case Word::hurry:
        host_.mover().hurry();
        break;
      case Word::placed:
        host_.mover().on_placed(message);
        break;
      case Word::take:
        host_.mover().on_take(message);
        break;
      case Word::suspend:
        host_.suspend(message.text);
        break;
      case Word::attach:
        attach(message);
        break;
      case Word::detach:
        if (const auto id = read_numbers(message.text); id && id->size() == 1) host_.detach(id->front());
        break;
      case Word::start:
      case Word::ready:
      case Word::failed:
      case Word::deaf:
      case Word::hand:
      case Word::taken:
        break;  // Not a supervisor's to say.
    }
  }

  void attach(process::Message& message) {
    const auto id = read_numbers(message.text);
    if (!id || id->size() != 1 || message.descriptors.size() != 1) {
      log_.error("an attached socket did not arrive: the limit of open descriptors is too low");
    } else if (const auto adopted = host_.attach(id->front(), std::move(message.descriptors.front()));
               !adopted) {
      log_.error("cannot listen on an attached socket", {{"reason", adopted.error().message}});
    }
  }

  void listen(process::Message& message) {
    const auto numbers = read_numbers(message.text);
    if (!numbers || numbers->size() != message.descriptors.size() || message.lost_descriptors) {
      log_.error("not every listening socket arrived: the limit of open descriptors is too low");
      host_.stop();
      return;
    }
    for (std::size_t i = 0; i < numbers->size(); ++i) {
      const std::uint32_t which = (*numbers)[i];
      if (which >= config_.listen.size()) continue;
      if (const auto adopted = host_.adopt(which, std::move(message.descriptors[i])); !adopted)
        log_.error("cannot listen",
                   {{"listen", config_.listen[which].name}, {"reason", adopted.error().message}});
    }
  }

  process::Channel& channel_;
  process::WorkerSlot& slot_;
  Host& host_;
  const config::Config& config_;
  log::Log& log_;
  std::unique_ptr<io::Watch> watch_;
};

int fail(process::Channel& channel, const std::vector<base::Error>& errors, int code) {
  std::string text;
  for (const base::Error& each : errors) text += each.message + "\n";
  if (text.size() > process::Channel::most_text) text.resize(process::Channel::most_text);
  static_cast<void>(send(channel, Word::failed, text));
  return code;
}

int work_with(process::Channel& channel, const process::Board& board, process::Message& start) {
  const auto about = read_start(start.text);
  if (!about || about->slot >= board.slots() || start.descriptors.size() < Start::descriptors)
    return fail(channel, {{base::ErrorCode::system_failure, "the supervisor is of another version"}},
                exit_internal);
  process::WorkerSlot& slot = board.slot(about->slot);
  process::note_crashes(slot.crash, whose_code, save_lines);
  plugin::show_running(slot.running);
  const process::FaultStack stack;
  process::keep_freed_memory();

  const auto snapshot = read_snapshot(start.descriptors[Start::snapshot].get());
  if (!snapshot) return fail(channel, {snapshot.error()}, exit_internal);
  config::Loaded loaded = config::load_snapshot(snapshot.value());
  if (!loaded.config) {
    return fail(channel, {{base::ErrorCode::config_invalid, config::render_all(loaded)}}, exit_configuration);
  }
  const config::Config& config = *loaded.config;
  auto logs = open_logs(config.log);
  if (!logs) return fail(channel, {logs.error()}, exit_failed);
  const SavedLines saved(logs->access.get());
  const auto connections =
      io::raise_descriptor_limit(config.limits.connections, descriptors_of_a_connection(config));
  if (!connections) return fail(channel, {connections.error()}, exit_internal);

  std::vector<process::FileDescriptor> passed;
  for (std::size_t i = Start::descriptors; i < start.descriptors.size(); ++i)
    passed.push_back(std::move(start.descriptors[i]));
  auto zones = open_zones(config.zones, std::move(passed));
  if (!zones) return fail(channel, {zones.error()}, exit_internal);
  auto statistics =
      process::Statistics::open(std::move(start.descriptors[Start::statistics]), shape_of(config));
  if (!statistics) return fail(channel, {statistics.error()}, exit_internal);
  if (const auto errors = give_up_privileges(config); !errors.empty())
    return fail(channel, errors, exit_failed);
  const auto leash = process::Leash::start(
      channel.maker(),
      std::chrono::ceil<std::chrono::milliseconds>(config.server.shutdown_grace + Team::kill_delay), [&logs] {
        save_lines();
        logs->log->error("the supervisor is gone and this worker does not end: it is killed");
      });
  if (!leash) return fail(channel, {leash.error()}, exit_internal);
  auto loop = io::EventLoop::open();
  if (!loop) return fail(channel, {loop.error()}, exit_internal);
  Assembled assembled =
      assemble(config, *logs->log, **loop, *zones, std::move(statistics).value(), about->number);
  if (!assembled.errors.empty()) return fail(channel, assembled.errors, exit_failed);
  auto host = std::make_unique<Host>(config, *logs->log, logs->access.get(), std::move(loop).value(),
                                     std::move(assembled.assembly), connections.value(), slot.counters);
  host->join(channel, board, about->slot);
  Worker worker(channel, slot, *host, config, *logs->log);
  if (const auto ran = worker.run(); !ran) return fail(channel, {ran.error()}, exit_internal);
  const bool quiet = host->quiet();
  tell_of_lost_lines(*logs);
  if (!quiet) ::_exit(exit_ok);  // A plugin's thread still runs: what it uses must stay.
  host.reset();
  return exit_ok;
}

}  // namespace

int work() {
  for (const int passed : {process::control_descriptor, process::board_descriptor}) {
    if (::fcntl(passed, F_SETFD, FD_CLOEXEC) != 0) {
      std::fputs("trivet: `worker` is for the supervisor to start: trivet serve --processes N\n", stderr);
      return exit_usage;
    }
  }
  process::Channel channel{process::FileDescriptor(process::control_descriptor)};
  auto board = process::Board::open(process::FileDescriptor(process::board_descriptor));
  if (!board) return fail(channel, {board.error()}, exit_internal);
  auto start = wait_for_message(channel);
  if (!start || start->kind != static_cast<std::uint32_t>(Word::start)) return exit_internal;
  try {
    return work_with(channel, *board, *start);
  } catch (const std::exception& error) {
    return fail(channel, {{base::ErrorCode::system_failure, std::string("internal error: ") + error.what()}},
                exit_internal);
  }
}

}  // namespace trivet::host
