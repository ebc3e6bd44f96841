#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <locale>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <trivet/plugin.hpp>
#include <vector>

#include "pattern.hpp"

/// What a plugin can do to its process, each by a name that QUERY_STRING begins with; `n=` says how much.
namespace deeds {

using Amount = std::uint64_t;

volatile int* volatile null = nullptr;

std::size_t overflow(std::size_t depth) {
  volatile char big[65536] = {};  // NOLINT(*-avoid-c-arrays)
  big[depth % sizeof big] = 1;
  return depth > 1'000'000 ? depth : overflow(depth + 1) + static_cast<std::size_t>(big[depth % sizeof big]);
}

void sleep_for_ever() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

void loop_for_ever() {
  for (volatile bool on = true; on;) {
  }
}

/// Memory that is used, and never again found.
void leak_memory(Amount bytes) {
  static std::vector<std::string>* const kept = new std::vector<std::string>;  // NOLINT: a leak is wanted
  kept->emplace_back(bytes, 'x');
}

void leak_descriptors(Amount count) {
  for (; count > 0; --count) static_cast<void>(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

void leave_threads(Amount count) {
  for (; count > 0; --count) std::thread(sleep_for_ever).detach();
}

void close_descriptors(Amount up_to) {
  for (Amount each = 0; each <= up_to; ++each) ::close(static_cast<int>(each));
}

struct Commas final : std::numpunct<char> {
  [[nodiscard]] char do_decimal_point() const override { return ','; }
  [[nodiscard]] char do_thousands_sep() const override { return '.'; }
  [[nodiscard]] std::string do_grouping() const override { return "\3"; }
};

/// Numbers are written differently by every stream from now on, and by C if the system has such a locale.
void change_locale() {
  std::setlocale(LC_ALL, "de_DE.UTF-8");  // NOLINT(concurrency-mt-unsafe): the point
  std::locale::global(std::locale(std::locale::classic(), new Commas));
}

void block_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

void ignore_signals() {
  for (const int each : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) {
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(each, &ignore, nullptr);
  }
}

/// The host's own handlers are gone; what faults afterwards takes the usual course.
void forget_faults() {
  for (const int each : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGPIPE}) {
    struct sigaction usual{};
    usual.sa_handler = SIG_DFL;
    ::sigaction(each, &usual, nullptr);
  }
}

void write_output(Amount bytes) {
  const std::string line = std::string(bytes, '#') + "\n";
  std::cout << line << std::flush;
  std::cerr << line;
  static_cast<void>(!::write(STDOUT_FILENO, line.data(), line.size()));
}

/// Children that end at once: what a host hears of them is SIGCHLD.
void make_children(Amount count) {
  for (; count > 0; --count) {
    if (::fork() == 0) ::_exit(0);
  }
}

void at_exit(Amount) {
  std::atexit([] { std::cerr << "the plugin's atexit ran" << std::endl; });
}

struct Deed {
  std::string_view name;
  void (*act)(Amount);
};

const Deed all[] = {
    // Its process ends.
    {"segv", [](Amount) { *null = 1; }},
    {"abort", [](Amount) { std::abort(); }},
    {"exit", [](Amount code) { std::exit(static_cast<int>(code)); }},  // NOLINT(concurrency-mt-unsafe)
    {"leave", [](Amount code) { ::_exit(static_cast<int>(code)); }},
    {"hurry", [](Amount code) { std::quick_exit(static_cast<int>(code)); }},
    {"vanish", [](Amount code) { ::syscall(SYS_exit_group, static_cast<int>(code)); }},
    {"terminate", [](Amount) { std::terminate(); }},
    {"overflow", [](Amount) { static_cast<void>(overflow(1)); }},
    {"thread", [](Amount) { std::thread([] { throw std::runtime_error("on purpose"); }).join(); }},
    {"kill", [](Amount number) { std::raise(static_cast<int>(number)); }},
    // It does not come back.
    {"loop", [](Amount) { loop_for_ever(); }},
    {"sleep", [](Amount) { sleep_for_ever(); }},
    // Its request fails.
    {"throw", [](Amount) { throw std::runtime_error("on purpose"); }},
    {"number", [](Amount) { throw 42; }},
    // It leaves something behind.
    {"memory", leak_memory},
    {"descriptors", leak_descriptors},
    {"threads", leave_threads},
    {"close", close_descriptors},
    {"chdir", [](Amount) { static_cast<void>(!::chdir("/")); }},
    {"umask", [](Amount mask) { ::umask(static_cast<mode_t>(mask)); }},
    {"locale", [](Amount) { change_locale(); }},
    {"block", [](Amount) { block_signals(); }},
    {"ignore", [](Amount) { ignore_signals(); }},
    {"faults", [](Amount) { forget_faults(); }},
    {"fork", [](Amount) { static_cast<void>(::fork()); }},
    {"children", make_children},
    {"output", write_output},
    {"atexit", at_exit},
    {"environment", [](Amount) { ::clearenv(); }},  // NOLINT(concurrency-mt-unsafe): the point
    {"nothing", [](Amount) {}},
};

void act(std::string_view query) {
  const std::string_view name = query.substr(0, query.find('&'));
  for (const Deed& deed : all) {
    if (deed.name == name) deed.act(pattern::number(query, "n"));
  }
}

}  // namespace deeds

/// Does what it is asked, then says which process it is, or allows.
struct Misbehave {
  static constexpr bool never_blocks = true;

  void handle(trivet::Request& request, trivet::Response& out) {
    deeds::act(request.query());
    out << ::getpid();
  }
  trivet::Verdict check(trivet::Request& request) {
    deeds::act(request.query());
    return trivet::allow();
  }
};

TRIVET_PLUGIN(Misbehave, "misbehave", "1.0.0")
