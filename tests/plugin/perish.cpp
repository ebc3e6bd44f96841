#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <trivet/plugin.hpp>

/// Ends its process in the way that its setting `how` or QUERY_STRING names; else says which process it is,
/// also where it allows.
struct Perish {
  static constexpr bool never_blocks = true;

  struct Config {
    std::string how;
    static constexpr auto settings = trivet::settings(trivet::setting("how", &Config::how));
  };
  explicit Perish(const Config& config) : how(config.how) {}

  void handle(trivet::Request& request, trivet::Response& out) {
    perish(how.empty() ? request.query() : how);
    out << ::getpid();
  }
  trivet::Verdict check(trivet::Request& request) {
    perish(how.empty() ? request.query() : how);
    trivet::Verdict verdict = trivet::allow();
    verdict.set("WORKER", std::to_string(::getpid()));
    return verdict;
  }

 private:
  static void perish(std::string_view how) {
    if (how == "segv") std::raise(SIGSEGV);
    if (how == "null") *null = 1;
    if (how == "abort") std::abort();
    if (how == "exit") std::exit(0);  // NOLINT(concurrency-mt-unsafe): the point
    if (how == "overflow") static_cast<void>(overflow(1));
    if (how == "thread") std::thread([] { throw std::runtime_error("on purpose"); }).join();
  }
  static std::size_t overflow(std::size_t depth) {
    volatile char big[65536] = {};  // NOLINT(*-avoid-c-arrays)
    big[depth % sizeof big] = 1;
    return depth > 1'000'000 ? depth
                             : overflow(depth + 1) + static_cast<std::size_t>(big[depth % sizeof big]);
  }
  static inline volatile int* volatile null = nullptr;

  std::string how;
};

TRIVET_PLUGIN(Perish, "perish", "1.0.0")
