#include "runtime/host/worker_process.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

namespace trivet::host {
namespace {

using process::Channel;

constexpr int messages_per_turn = 32;
constexpr auto last_moment = std::chrono::seconds(1);
/// From the end of its channel to its own: what runs at its exit may take a while, a leak check for instance.
constexpr auto last_moments = std::chrono::seconds(10);

}  // namespace

base::Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(io::EventLoop& loop, Events& events,
                                                                  int board, const Start& start,
                                                                  std::span<const int> descriptors) {
  auto process = process::start_worker(board);
  if (!process) return process.error();
  std::unique_ptr<WorkerProcess> worker(
      new WorkerProcess(loop, events, start, std::move(process).value()));  // NOLINT: private constructor
  if (const auto watched = worker->watch(); !watched) {
    worker->kill(SIGKILL);
    static_cast<void>(process::wait_for(worker->process_.pid));
    return watched.error();
  }
  worker->started = loop.now();
  worker->tell(Word::start, pack(start), descriptors);
  return worker;
}

base::Result<std::unique_ptr<WorkerProcess>> WorkerProcess::adopt(io::EventLoop& loop, Events& events,
                                                                  const Start& start, base::TimePoint started,
                                                                  process::StartedWorker process) {
  std::unique_ptr<WorkerProcess> worker(
      new WorkerProcess(loop, events, start, std::move(process)));  // NOLINT: private constructor
  if (const auto watched = worker->watch(); !watched) return watched.error();
  worker->state = State::serving;
  worker->started = worker->since = std::min(started, loop.now());
  return worker;
}

base::Result<> WorkerProcess::watch() {
  auto death = io::Watch::open(loop_, process_.pidfd.get(), [this] { on_death(); });
  if (!death) return death.error();
  auto channel = io::Watch::open(loop_, process_.channel.descriptor(), [this] { on_message(); });
  if (!channel) return channel.error();
  death_ = std::move(death).value();
  channel_ = std::move(channel).value();
  return base::success();
}

WorkerProcess::~WorkerProcess() = default;

bool WorkerProcess::tell(Word word, std::string_view text, std::span<const int> descriptors) {
  switch (process_.channel.send(static_cast<std::uint32_t>(word), text, descriptors)) {
    case Channel::Outcome::done:
      return true;
    case Channel::Outcome::gone:
      ends_soon();
      return false;
    case Channel::Outcome::full:
    case Channel::Outcome::empty:
      break;
  }
  if (last_words.empty()) last_words = "it did not take what it was told";
  kill(SIGKILL);
  return false;
}

/// Its channel has ended. It may be on its way out in order, with something left to do.
void WorkerProcess::ends_soon() {
  if (!kill_.armed()) loop_.timers().arm(kill_, loop_.now() + last_moments);
}

void WorkerProcess::kill(int signal) const noexcept { ::kill(process_.pid, signal); }

void WorkerProcess::abort(std::string why) {
  if (kill_.armed()) return;
  last_words = std::move(why);
  kill(SIGABRT);
  loop_.timers().arm(kill_, loop_.now() + last_moment);
}

void WorkerProcess::on_message() {
  process::Message message;
  for (int i = 0; i < messages_per_turn; ++i) {
    switch (process_.channel.receive(message)) {
      case Channel::Outcome::done:
        events_.on_word(*this, static_cast<Word>(message.kind), message);
        break;
      case Channel::Outcome::empty:
        return;
      case Channel::Outcome::full:
      case Channel::Outcome::gone:
        channel_.reset();  // Its end follows, or is made to.
        ends_soon();
        return;
    }
  }
}

void WorkerProcess::on_death() {
  // What it still said: at most what the kernel holds for it.
  while (channel_ != nullptr) {
    process::Message message;
    if (process_.channel.receive(message) != Channel::Outcome::done) break;
    events_.on_word(*this, static_cast<Word>(message.kind), message);
  }
  kill_.cancel();
  channel_.reset();
  death_.reset();
  const process::End end = process::wait_for(process_.pid);
  events_.on_end(*this, end);
}

}  // namespace trivet::host
