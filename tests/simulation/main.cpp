// Runs seeds; what must not happen is told with the seed, which does the same again when it runs alone.
//
//   simulation --seeds N [--from S] [--twice]    seeds S .. S+N-1; S is 1 if it is not given
//   simulation --seed S [--trace]                one, twice
//
// What runs twice has to be the same both times. With --break S the run of seed S ends with a property that
// does not hold: to see that it is told.
//
// Exit code 0, 1 on a finding, 64 on a wrong command line.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "tests/model/require.hpp"
#include "tests/simulation/simulation.hpp"
#include "tests/unit/protocol/counting_heap.hpp"

namespace {

using trivet::model::require;
using trivet::simulation::Simulation;

/// A run that takes longer does not end; the slowest take a hundredth of it.
constexpr unsigned most_seconds = 60;
constexpr std::size_t trace_lines = 40;

struct Options {
  std::optional<std::uint64_t> seeds;
  std::optional<std::uint64_t> seed;
  std::optional<std::uint64_t> broken;
  std::uint64_t from = 1;
  bool twice = false;
  bool trace = false;
};

/// Beyond a process that ends within a run.
struct Shared {
  std::uint64_t seed = 0;
  Simulation::Outcome sum;
};

Simulation::Outcome run(std::uint64_t seed, const Simulation::Trace& trace = {}) {
  ::alarm(most_seconds);
  const auto outcome = Simulation(seed, trace).run();
  ::alarm(0);
  return outcome;
}

void add(Simulation::Outcome& sum, const Simulation::Outcome& one) {
  sum.digest = sum.digest * 31 + one.digest;
  sum.steps += one.steps;
  for (std::size_t i = 0; i < one.answers.size(); ++i) sum.answers[i] += one.answers[i];
  sum.grants += one.grants;
  sum.faults += one.faults;
  sum.jobs += one.jobs;
  sum.nested += one.nested;
  sum.moves += one.moves;
}

/// In a process of its own: the first run warms what is made once.
[[noreturn]] void run_batch(const Options& options, Shared& shared) {
  const std::uint64_t from = options.from;
  shared.seed = from;
  run(from);
  const std::size_t live = trivet::protocol::heap::live();
  for (std::uint64_t seed = from; seed < from + *options.seeds; ++seed) {
    shared.seed = seed;
    require(options.broken != seed, "this seed was to be broken");
    const auto outcome = run(seed);
    add(shared.sum, outcome);
    if (options.twice) require(run(seed).digest == outcome.digest, "a seed does the same again");
    require(trivet::protocol::heap::live() == live, "a run leaves no memory behind");
  }
  std::exit(0);  // NOLINT(concurrency-mt-unsafe): one thread; exit, so that leaks are looked for
}

std::string shown(const Simulation::Outcome& outcome) {
  char text[500];
  const auto& by = outcome.answers;
  std::snprintf(text, sizeof text,
                "%zu steps, %zu of them while a plugin ran; %zu faults; %zu pieces of work on threads; %zu "
                "moves; answers: %zu of "
                "2xx, %zu of 3xx, %zu of 4xx, %zu of 5xx, %zu unknown roles; %zu grants; digest %016llx",
                outcome.steps, outcome.nested, outcome.faults, outcome.jobs, outcome.moves, by[2], by[3],
                by[4], by[5], by[0], outcome.grants, static_cast<unsigned long long>(outcome.digest));
  return text;
}

int run_one(std::uint64_t seed, bool trace) {
  const Simulation::Trace to_output = [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  const auto first = run(seed, trace ? to_output : Simulation::Trace());
  const std::size_t live = trivet::protocol::heap::live();
  const auto second = run(seed);
  require(first.digest == second.digest, "a seed does the same again");
  require(trivet::protocol::heap::live() == live, "a run leaves no memory behind");
  std::printf("%s; twice the same\n", shown(first).c_str());
  return 0;
}

std::string ended_by(int status) {
  if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  if (WTERMSIG(status) == SIGALRM) return "no end within " + std::to_string(most_seconds) + " seconds";
  return std::string("signal ") + ::strsignal(WTERMSIG(status));
}

/// Its last steps, from a process of its own.
void show(std::uint64_t seed) {
  int ends[2];
  if (::pipe(ends) != 0) return;
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[1]);
    std::exit(run_one(seed, true));  // NOLINT(concurrency-mt-unsafe)
  }
  ::close(ends[1]);
  std::deque<std::string> last;
  std::FILE* const lines = ::fdopen(ends[0], "r");
  char line[1024];
  while (lines != nullptr && std::fgets(line, sizeof line, lines) != nullptr) {
    last.emplace_back(line);
    if (last.size() > trace_lines) last.pop_front();
  }
  if (lines != nullptr) std::fclose(lines);
  int status = 0;
  ::waitpid(child, &status, 0);
  for (const std::string& each : last) std::printf("    %s", each.c_str());
}

int run_seeds(const char* program, const Options& options) {
  void* const memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  Shared& shared = *new (memory) Shared;
  const pid_t child = ::fork();
  if (child == 0) run_batch(options, shared);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return 1;
  const Simulation::Outcome& sum = shared.sum;
  if (status != 0) {
    const auto seed = static_cast<unsigned long long>(shared.seed);
    std::printf("seed %llu: %s; its last steps:\n", seed, ended_by(status).c_str());
    show(shared.seed);
    std::printf("again: %s --seed %llu --trace\n", program, seed);
    std::fflush(stdout);
    return 1;
  }
  std::printf("%llu seeds from %llu: %s\n", static_cast<unsigned long long>(*options.seeds),
              static_cast<unsigned long long>(options.from), shown(sum).c_str());
  return 0;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Options> read(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--trace" || name == "--twice") {
      (name == "--trace" ? options.trace : options.twice) = true;
      continue;
    }
    const auto value = i + 1 < count ? number(arguments[++i]) : std::nullopt;
    if (!value) return std::nullopt;
    if (name == "--seeds") {
      options.seeds = value;
    } else if (name == "--seed") {
      options.seed = value;
    } else if (name == "--from") {
      options.from = *value;
    } else if (name == "--break") {
      options.broken = value;
    } else {
      return std::nullopt;
    }
  }
  if (options.seed.has_value() == options.seeds.has_value() || options.seeds == 0U) return std::nullopt;
  return options;
}

}  // namespace

int main(int count, char** arguments) {
  const auto options = read(count, arguments);
  if (!options) {
    std::fprintf(stderr,
                 "usage: simulation --seeds N [--from S] [--twice] [--break S] | --seed S [--trace]\n");
    return 64;
  }
  return options->seed ? run_one(*options->seed, options->trace) : run_seeds(arguments[0], *options);
}
