#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/cli/admin_command.hpp"
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/bench_command.hpp"
#include "runtime/cli/call_command.hpp"
#include "runtime/cli/check_command.hpp"
#include "runtime/cli/conform_command.hpp"
#include "runtime/cli/explain_command.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/snippet_command.hpp"
#include "runtime/host/serve.hpp"
#include "runtime/host/upgrade.hpp"
#include "runtime/host/worker.hpp"
#include "runtime/process/attach_stub.hpp"
#include "runtime/process/signal_mask.hpp"
#include "runtime/process/spawner.hpp"
#include "runtime/process/standard_streams.hpp"

namespace {

using namespace trivet;

/// In the small program beside this one, where that is there.
int attach(const char* address) {
  std::array<char, PATH_MAX> beside{};
  constexpr std::string_view suffix = "-attach";
  const ssize_t length = ::readlink("/proc/self/exe", beside.data(), beside.size() - suffix.size() - 1);
  if (length > 0) {
    std::copy(suffix.begin(), suffix.end(), beside.begin() + length);
    ::execl(beside.data(), "trivet attach", address, nullptr);
  }
  return process::attach(address);
}

struct Run {
  int operator()(const cli::Finished& finished) const { return finished.code; }
  int operator()(const cli::ServeCommand& command) const {
    host::ServeOptions options;
    options.config_file = command.config_file;
    options.overrides.listen = command.listen;
    options.overrides.processes = command.processes;
    return host::serve(options);
  }
  int operator()(const cli::CheckCommand& command) const { return cli::run_check(command); }
  int operator()(const cli::ExplainCommand& command) const { return cli::run_explain(command); }
  int operator()(const cli::CallCommand& command) const { return cli::run_call(command); }
  int operator()(const cli::ConformCommand& command) const { return cli::run_conform(command); }
  int operator()(const cli::BenchCommand& command) const { return cli::run_bench(command); }
  int operator()(const cli::AttachCommand& command) const { return attach(command.address.c_str()); }
  int operator()(const cli::SnippetCommand& command) const { return cli::run_snippet(command); }
  int operator()(const cli::AdminCommand& command) const { return cli::run_admin(command); }
};

/// What a running host asks another version of this program, with its own options: whether it could take
/// over.
int probe(int argc, char** argv) {
  std::string serve = "serve";
  argv[1] = serve.data();
  const cli::Command command = cli::read_arguments(argc, argv);
  const auto* const options = std::get_if<cli::ServeCommand>(&command);
  if (options == nullptr) return cli::exit_usage;
  config::Overrides overrides;
  overrides.listen = options->listen;
  overrides.processes = options->processes;
  return host::probe(options->config_file, overrides);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    // Before anything that takes time: a web server that starts it has a request waiting.
    if (argc == 2 && std::string_view(argv[1]) == "attach") return attach(process::default_attach_socket);
    // First of all, and for every command: a socket must not take the place of a standard stream that is
    // closed.
    if (const auto opened = process::ensure_standard_descriptors(); !opened) {
      cli::say(opened.error().message);
      return cli::exit_internal;
    }
    // Whoever reads what is said may be gone: the exit code tells it all the same.
    if (const auto ignored = process::ignore_sigpipe(); !ignored) {
      cli::say(ignored.error().message);
      return cli::exit_internal;
    }
    // A web server may start an application with nothing but its name (FastCGI 1.0, 2.1).
    if (argc == 2 && std::string_view(argv[1]) == "worker") return host::work();
    if (argc >= 2 && std::string_view(argv[1]) == "probe") return probe(argc, argv);
    if (argc <= 1 && process::is_spawned()) return Run{}(cli::ServeCommand{});
    return std::visit(Run{}, cli::read_arguments(argc, argv));
  } catch (const std::exception& error) {
    cli::say(std::string("internal error: ") + error.what());
    return cli::exit_internal;
  }
}
