/// Keeps connections busy with requests, checks every answer, and counts.
///
///     keep_busy ADDR [--uri URI] [--once N] [--kept N] [--streams N] [--idle N] [--rate N]
///
///     ADDR         unix:PATH or tcp:HOST:PORT for FastCGI, http:HOST:PORT for a web server
///     --once N     so many clients with a connection for each request
///     --kept N     so many connections that stay, each with --streams requests at once (1)
///     --idle N     so many connections that stay and ask once at first, then when they are poked
///     --rate N     requests a second of all of them together; 0 (without): as many as go
///
/// Says `up` when every connection has had an answer. Then, for each line on standard input: `report` gives
/// a line of JSON about what happened since the last one, `poke` makes idle connections ask and gives one
/// when they have their answers; `stop`, or the end of the input, lets open requests end and gives the last.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/faults/load/client.hpp"

namespace load {
namespace {

struct Options {
  std::string address;
  std::string uri = "/";
  std::uint64_t once = 0;
  std::uint64_t kept = 0;
  std::uint64_t streams = 1;
  std::uint64_t idle = 0;
  std::uint64_t rate = 0;
};

bool read(int count, char** arguments, Options& out) {
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (!name.starts_with("--")) {
      out.address = name;
      continue;
    }
    if (++i == count) return false;
    const std::string_view value = arguments[i];
    if (name == "--uri") {
      out.uri = value;
      continue;
    }
    std::uint64_t* const number = name == "--once"      ? &out.once
                                  : name == "--kept"    ? &out.kept
                                  : name == "--streams" ? &out.streams
                                  : name == "--idle"    ? &out.idle
                                  : name == "--rate"    ? &out.rate
                                                        : nullptr;
    if (number == nullptr ||
        std::from_chars(value.data(), value.data() + value.size(), *number).ec != std::errc())
      return false;
  }
  return !out.address.empty();
}

class Driver {
 public:
  Driver(const Options& options, Target target)
      : target_(std::move(target)),
        rate_(static_cast<double>(options.rate)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    add(Client::Kind::idle, options.idle, 1);
    add(Client::Kind::once, options.once, 1);
    add(Client::Kind::kept, options.kept, options.streams);
    first_answers_ = free_.size();
  }

  void run() {
    while (!is_over_) {
      start_more();
      std::array<epoll_event, 256> events;
      const int count = ::epoll_wait(epoll_, events.data(), events.size(), 1);
      const Clock::time_point now = Clock::now();
      for (int i = 0; i < count; ++i) take(events[static_cast<std::size_t>(i)], now);
      tell_if_up();
      read_orders();
      if (stops_at_ != Clock::time_point() && (open_ == 0 || now > stops_at_)) finish();
    }
  }

 private:
  struct Turn {
    Client* client;
    std::uint16_t id;
  };

  void add(Client::Kind kind, std::uint64_t count, std::uint64_t streams) {
    for (; count > 0; --count) {
      clients_.push_back(std::make_unique<Client>(target_, counts_, epoll_, kind));
      for (std::uint16_t id = 1; id <= streams; ++id) free_.push_back({clients_.back().get(), id});
    }
  }

  void start_more() {
    const Clock::time_point now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - last_start_).count();
    last_start_ = now;
    allowed_ = std::min(allowed_ + rate_ * seconds, rate_ / 50 + 1);
    // What was refused waits for the next turn of the loop.
    for (std::size_t left = free_.size(); left > 0 && (rate_ == 0 || !is_up_ || allowed_ >= 1); --left) {
      if (stops_at_ != Clock::time_point()) return;
      const Turn turn = free_.front();
      free_.pop_front();
      if (turn.client->ask(turn.id, ++number_)) {
        ++open_;
        allowed_ -= 1;
      } else {
        free_.push_back(turn);
      }
    }
  }

  void take(const epoll_event& event, Clock::time_point now) {
    auto& client = *static_cast<Client*>(event.data.ptr);
    if (!client.is_open()) return;
    const std::uint64_t before = counts_.answered;
    done_.clear();
    client.on_event((event.events & ~static_cast<unsigned>(EPOLLOUT)) != 0, now, done_);
    if (counts_.answered != before) {
      if (last_answer_ != Clock::time_point())
        counts_.slowest_gap = std::max(counts_.slowest_gap, now - last_answer_);
      last_answer_ = now;
    }
    open_ -= done_.size();
    first_answers_ -= std::min(first_answers_, done_.size());
    for (const std::uint16_t id : done_)
      (client.kind() == Client::Kind::idle ? resting_ : free_).push_back({&client, id});
    if (pokes_ > 0 && client.kind() == Client::Kind::idle && (pokes_ -= std::min(pokes_, done_.size())) == 0)
      report();
  }

  void tell_if_up() {
    if (is_up_ || first_answers_ > 0) return;
    is_up_ = true;
    std::puts("up");
    std::fflush(stdout);
  }

  void read_orders() {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, 0) <= 0) return;
    std::array<char, 256> buffer;
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got <= 0) {
      stop();
      return;
    }
    orders_.append(buffer.data(), static_cast<std::size_t>(got));
    for (std::size_t end = 0; (end = orders_.find('\n')) != std::string::npos; orders_.erase(0, end + 1)) {
      const std::string_view order = std::string_view(orders_).substr(0, end);
      if (order == "report") report();
      if (order == "poke") poke();
      if (order == "stop") stop();
    }
  }

  void poke() {
    pokes_ = resting_.size();
    if (pokes_ == 0) report();
    for (; !resting_.empty(); resting_.pop_front()) {
      const Turn turn = resting_.front();
      if (turn.client->ask(turn.id, ++number_)) {
        ++open_;
      } else {
        free_.push_front(turn);
      }
    }
  }

  void stop() {
    if (stops_at_ == Clock::time_point()) stops_at_ = Clock::now() + std::chrono::seconds(20);
  }

  void finish() {
    counts_.failed += open_;  // They have had their time.
    report();
    is_over_ = true;
  }

  void report() {
    std::size_t idle = 0;
    for (const auto& each : clients_) idle += each->kind() == Client::Kind::idle && each->is_open() ? 1U : 0U;
    std::puts(render(counts_, idle).c_str());
    std::fflush(stdout);
    counts_ = {};
  }

  Target target_;
  double rate_;
  int epoll_;
  Counts counts_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::deque<Turn> free_;
  std::deque<Turn> resting_;  ///< Of idle connections.
  std::vector<std::uint16_t> done_;
  std::string orders_;
  std::uint64_t number_ = 0;
  std::size_t open_ = 0;
  std::size_t first_answers_ = 0;
  std::size_t pokes_ = 0;
  double allowed_ = 0;
  bool is_up_ = false;
  bool is_over_ = false;
  Clock::time_point last_start_ = Clock::now();
  Clock::time_point last_answer_;
  Clock::time_point stops_at_;
};

int run(const Options& options) {
  Target target;
  if (!read_target(options.address, target)) {
    std::fputs("keep_busy: an address is unix:PATH, tcp:HOST:PORT or http:HOST:PORT\n", stderr);
    return 64;
  }
  target.uri = options.uri;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Driver(options, target).run();
  return 0;
}

}  // namespace
}  // namespace load

int main(int count, char** arguments) {
  load::Options options;
  if (!load::read(count, arguments, options)) {
    std::fputs(
        "usage: keep_busy ADDR [--uri URI] [--once N] [--kept N] [--streams N] [--idle N] [--rate N]\n",
        stderr);
    return 64;
  }
  return load::run(options);
}
