#include <fcntl.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "runtime/host/assembly.hpp"
#include "runtime/host/counted.hpp"
#include "runtime/host/serving.hpp"
#include "runtime/host/supervisor.hpp"

// Binary upgrade: another image of the program takes the place of this one in the same process. The workers
// stay its children and serve on; what follows is an ordinary reload, from the old image's generation to the
// new image's.
namespace trivet::host {
namespace {

constexpr auto step = std::chrono::milliseconds(20);
/// Beyond reload_grace, within which an older generation is gone.
constexpr auto patience = std::chrono::seconds(5);

/// With what the workers of a generation have counted up to now.
process::StatisticsTotals with(process::StatisticsTotals counted, const Generation& generation) {
  counted.add(generation.statistics(), names_of(generation.config()),
              process::StatisticsTotals::Workers::ended);
  return counted;
}

int fail(const base::Error& error) {
  std::fputs(("trivet: " + error.message + "\n").c_str(), stderr);
  return exit_internal;
}

}  // namespace

void Supervisor::upgrade(AdminReply reply) {
  if (stopping_ || upgrading_) {
    reply.answer(exit_failed,
                 stopping_ ? "trivet: the host is stopping\n" : "trivet: an upgrade is under way\n");
    return;
  }
  upgrading_ = true;
  probed_ = false;
  upgrader_ = std::move(reply);
  const auto grace =
      serving_ == nullptr ? base::Duration(0) : base::Duration(serving_->config().server.reload_grace);
  upgrade_until_ = loop_.now() + grace + patience;
  on_upgrade_step(loop_.now());
}

/// Nothing is on its way that the next image would have to know of.
bool Supervisor::is_settled() const noexcept {
  return serving_ != nullptr && !reloading_ && teams_.size() == 1 && serving_->is_settled() &&
         exchange_.is_idle();
}

void Supervisor::on_upgrade_step(base::TimePoint now) {
  if (!upgrading_ || probe_ != nullptr) return;
  if (!is_settled()) {
    if (now < upgrade_until_) {
      loop_.timers().arm(upgrade_, now + step);
    } else {
      end_upgrade("trivet: no upgrade: a worker starts, or an older generation has not retired yet\n");
    }
    return;
  }
  if (!probed_) {
    start_probe();
    return;
  }
  if (const auto unchanged = candidate_->expect_unchanged(); !unchanged) {
    end_upgrade("trivet: no upgrade: " + unchanged.error().message + "\n");
    return;
  }
  log_.info("another image of the program takes over", {{"program", program_}});
  log_.flush();
  process::FileDescriptor client = upgrader_.release();
  Inheritance left = inheritance();
  const process::FileDescriptor own(::open("/proc/self/exe", O_PATH | O_CLOEXEC));
  left.executable = own.get();
  left.client = client.get();
  const base::Error error = become_with_clients(candidate_->descriptor(), std::move(left));
  if (client.is_open()) upgrader_ = admin_.adopt(std::move(client));
  end_upgrade("trivet: no upgrade: " + error.message + "\n");
}

/// With everybody who waits at the admin socket: the next image hears them. Comes back where that cannot be
/// run.
base::Error Supervisor::become_with_clients(int program, Inheritance left) {
  std::vector<AdminWaiting> waiting = admin_.release_unheard();
  AdminRequest request;
  request.command = AdminRequest::Command::reload;
  for (AdminReply& each : std::exchange(asked_, {})) {
    AdminWaiting asks{each.release(), pack(request)};
    if (asks.connection.is_open()) waiting.push_back(std::move(asks));
  }
  for (const AdminWaiting& each : waiting) left.clients.push_back({each.said, each.connection.get()});
  base::Error error = become(program, left);
  for (AdminWaiting& each : waiting) admin_.hear(std::move(each));
  return error;
}

Inheritance Supervisor::inheritance() {
  Inheritance left;
  left.board = slots_.board().descriptor();
  left.executable = left.board;  // For a probe: any that is open.
  left.passed = sockets_.passed();
  left.sockets = sockets_.open_sockets();
  left.admin = {{}, admin_.path(), admin_.descriptor()};
  left.attach = {{}, attach_.path(), attach_.descriptor()};
  const Generation& generation = serving_->generation();
  left.generation = generation.number();
  left.folder = generation.folder();
  left.lock = generation.lock();
  left.snapshot = generation.snapshot();
  left.statistics = generation.counting_memory();
  left.counted = unread_counts_.empty()
                     ? pack(Counted{started_, slots_.ended(), counted_, with(counted_, generation)})
                     : unread_counts_;
  for (const auto& each : generation.zones())
    left.zones.push_back({ZoneStore::pack(*each), each->descriptor.get()});
  left.workers = serving_->inheritance();
  left.connections = exchange_.inheritance();
  return left;
}

void Supervisor::start_probe() {
  auto candidate = ProgramFile::open(program_);
  if (!candidate) {
    end_upgrade("trivet: no upgrade: " + candidate.error().message + "\n");
    return;
  }
  candidate_ = std::move(candidate).value();
  auto probe = Probe::start(loop_, program_, inheritance(),
                            [this](const std::string& why_not) { on_probed(why_not); });
  if (!probe) {
    end_upgrade("trivet: no upgrade: " + probe.error().message + "\n");
    return;
  }
  probe_ = std::move(probe).value();
}

void Supervisor::on_probed(const std::string& why_not) {
  probe_.reset();
  if (!why_not.empty()) {
    end_upgrade(why_not);
    return;
  }
  probed_ = true;
  // While it was asked something may have begun to move.
  on_upgrade_step(loop_.now());
}

void Supervisor::end_upgrade(const std::string& failure) {
  if (!std::exchange(upgrading_, false)) return;
  upgrade_.cancel();
  probe_.reset();
  candidate_.reset();
  log_.error("no upgrade", {{"reason", failure}});
  upgrader_.answer(exit_failed, failure);
  begin_reload();
}

/// From where the image before stopped, as far as this version understands how that counted.
void Supervisor::count_on(Inheritance& left) {
  const Generation& generation = serving_->generation();
  auto before = unpack_counted(left.counted);
  if (!before || generation.counts_unseen()) {
    log_.warn(before
                  ? "what retiring workers count of plugins and routes is of another version and is not seen"
                  : "what was counted before is of another version: counts and uptime start from zero");
    unread_counts_ = std::move(left.counted);  // For an image that comes back.
  }
  if (!before) return;
  started_ = std::min(before->started, loop_.now());
  slots_.begin_with(before->ended);
  counted_ = std::move(generation.counts_unseen() ? before->seen : before->gone);
}

int Supervisor::run(Inheritance left) {
  // As exec by a descriptor names a process after that.
  ::prctl(PR_SET_NAME, "trivet", 0, 0, 0);
  before_.reset(left.executable);
  AdminReply client;
  if (left.client >= 0) client = admin_.adopt(process::FileDescriptor(left.client));
  auto generation =
      Generation::adopt(left.generation, left.folder, process::FileDescriptor(left.lock),
                        process::FileDescriptor(left.snapshot), process::FileDescriptor(left.statistics));
  if (!generation) return fail(generation.error());
  generations_ = left.generation;
  HeldZones zones;
  for (Inheritance::Zone& each : left.zones) {
    auto zone = zones_.adopt(each.about, process::FileDescriptor(each.descriptor));
    if (zone == nullptr) return fail({base::ErrorCode::system_failure, "a zone is of another version"});
    zones.push_back(std::move(zone));
  }
  generation.value()->hold(std::move(zones));
  std::vector<base::Error> errors;
  sockets_.adopt(left.sockets, errors);
  std::vector<OpenSocket> opened = sockets_.open(generation.value()->config(), errors);
  for (const base::Error& each : errors)
    log_.error("a socket cannot be taken over", {{"reason", each.message}});
  Team::Events& events = *this;
  teams_.push_back(std::make_unique<Team>(events, Team::Surroundings{loop_, log_, slots_, exchange_},
                                          std::move(generation).value(), std::move(opened)));
  serving_ = teams_.back().get();
  count_on(left);
  // Open all the time: a command or a stub that comes meanwhile waits.
  if (left.admin.descriptor >= 0)
    admin_.adopt(left.admin.path, process::FileDescriptor(left.admin.descriptor));
  if (left.attach.descriptor >= 0)
    attach_.adopt(left.attach.path, process::FileDescriptor(left.attach.descriptor));
  if (const auto listening = listen_for_control(serving_->config().server); !listening)
    log_.error("nobody can command this host", {{"reason", listening.error().message}});
  for (const Inheritance::Connection& each : left.connections) {
    if (!exchange_.adopt(each.parcel, process::FileDescriptor(each.descriptor)))
      log_.error("a connection that waited cannot be taken over");
  }
  serving_->adopt(left.workers);
  // Whoever waits for a reload is heard before the first one begins, and it is his as well.
  const auto hear_clients = [&] {
    upgrading_ = true;
    for (Inheritance::Client& each : left.clients)
      admin_.hear({process::FileDescriptor(each.descriptor), std::move(each.said)});
    upgrading_ = false;
  };
  if (left.failure.empty()) {
    log_.info("this image of the program has taken over", {{"program", program_}});
    hear_clients();
    reload(std::move(client));
  } else {
    before_.reset();
    log_.error("back from another image of the program, which could not serve", {{"reason", left.failure}});
    client.answer(exit_failed, left.failure);
    notices_.ready("serving, back from another image of the program");
    hear_clients();
    begin_reload();
  }
  return serve_signals();
}

/// The new generation of this image does not serve: the image before this one does so again.
void Supervisor::go_back() {
  log_.error("this image of the program cannot serve: back to the one before", {{"reason", failure_}});
  log_.flush();
  Inheritance left = inheritance();
  left.executable = before_.get();
  left.failure = failure_;
  process::FileDescriptor client;
  // Who asked for the upgrade was heard last; to the others this was a reload.
  if (!running_.empty()) client = running_.back().release();
  for (AdminReply& each : running_) each.answer(exit_failed, failure_);
  left.client = client.get();
  const base::Error error = become_with_clients(before_.get(), std::move(left));
  log_.error("the image before cannot be run", {{"reason", error.message}});
  before_.reset();
  if (client.is_open()) running_.back() = admin_.adopt(std::move(client));
  refuse_next(std::exchange(failure_, {}));
}

int supervise(Origin origin, Inheritance inheritance) {
  auto read = read_snapshot(inheritance.snapshot);
  if (!read) return fail(read.error());
  const config::Loaded loaded = config::load_snapshot(read.value());
  auto logs = open_logs(loaded.config ? loaded.config->log : config::Log());
  if (!logs) return fail(logs.error());
  log::SwitchableLog log(std::move(logs.value().log));
  auto board = process::Board::open(process::FileDescriptor(inheritance.board));
  if (!board) return fail(board.error());
  auto loop = io::EventLoop::open();
  if (!loop) return fail(loop.error());
  SocketPool sockets(std::move(inheritance.passed), log);
  int code = exit_internal;
  {
    Supervisor supervisor(std::move(origin), log, *board, sockets, **loop);
    code = supervisor.run(std::move(inheritance));
  }
  tell_that_stopped(log, log.lost());
  return code;
}

}  // namespace trivet::host
