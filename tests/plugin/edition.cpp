#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <trivet/plugin.hpp>

#include "pattern.hpp"

/// Compiled as several editions of one plugin, EDITION = 1, 2, ...: what a reload replaces. Each answers with
/// its edition in every way in which code of an older one could still be found: a function, an inline static,
/// a thread_local with a destructor, a thread of its own.
namespace {

/// The linker makes one of all that it finds in a process (STB_GNU_UNIQUE).
inline int& unique_edition() {
  static int edition = EDITION;
  return edition;
}

struct Mark {
  ~Mark() { edition = 0; }
  int edition = EDITION;
};
thread_local Mark mark;

/// Counts for as long as its process lives, unless it is stopped.
class Ticker {
 public:
  explicit Ticker(bool is_left) : is_left_(is_left) {
    auto run = [](std::atomic<int>* edition, std::atomic<bool>* on) {
      while (on->load()) {
        edition->store(EDITION);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    };
    thread_ = std::thread(run, &state->edition, &state->on);
  }
  ~Ticker() {
    if (is_left_) {
      thread_.detach();
      return;
    }
    state->on = false;
    thread_.join();
    delete state;
  }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;
  [[nodiscard]] int edition() const { return state->edition.load(); }

 private:
  struct State {
    std::atomic<int> edition{EDITION};
    std::atomic<bool> on{true};
  };
  State* const state = new State;  // NOLINT(cppcoreguidelines-owning-memory): may outlive this
  bool is_left_;
  std::thread thread_;
};

}  // namespace

/// `EDITION PID QUERY_STRING`; with ms=N that ten times, a line each, for so long.
struct Edition {
  static constexpr bool never_blocks = true;
  struct Config {
    std::string threads = "stopped";
    bool at_exit = false;
    static constexpr auto settings =
        trivet::settings(trivet::setting("threads", &Config::threads).one_of("stopped", "left"),
                         trivet::setting("at_exit", &Config::at_exit));
  };
  explicit Edition(const Config& config) : ticker_(config.threads == "left") {
    if (config.at_exit) std::atexit([] { static_cast<void>(!::write(STDERR_FILENO, "at_exit ran\n", 12)); });
  }

  void handle(trivet::Request& request, trivet::Response& out) {
    const bool same = unique_edition() == EDITION && mark.edition == EDITION && ticker_.edition() == EDITION;
    const std::string said = std::to_string(same ? EDITION : -1) + ' ' + std::to_string(::getpid()) + ' ' +
                             std::string(request.query());
    const std::uint64_t time = pattern::number(request.query(), "ms");
    for (int piece = 0; time != 0 && piece < 9; ++piece) {
      out << said << '\n';
      out.flush();
      std::this_thread::sleep_for(std::chrono::milliseconds(time / 10));
    }
    out << said;
  }
  trivet::Verdict check(trivet::Request&) { return trivet::allow(); }

  Ticker ticker_;
};

TRIVET_PLUGIN(Edition, "edition", "1.0.0")
