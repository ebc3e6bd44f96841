#include <cstdio>
#include <exception>

#include "runtime/cli/arguments.hpp"
#include "runtime/cli/call_command.hpp"
#include "runtime/cli/check_command.hpp"
#include "runtime/host/serve.hpp"

namespace {

using namespace trivet;

struct Run {
  int operator()(const cli::Finished& finished) const { return finished.code; }
  int operator()(const cli::ServeCommand& command) const {
    return host::serve({command.config_file, {command.listen, command.processes}});
  }
  int operator()(const cli::CheckCommand& command) const { return cli::run_check(command); }
  int operator()(const cli::CallCommand& command) const { return cli::run_call(command); }
};

}  // namespace

int main(int argc, char** argv) {
  try {
    return std::visit(Run{}, cli::read_arguments(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "trivet: internal error: %s\n", error.what());
    return cli::exit_internal;
  }
}
