#include "runtime/cli/usage.hpp"

#include "runtime/cli/output.hpp"

namespace trivet::cli {

Finished usage(const std::string& command, const std::string& text) {
  say(command + text + " (`trivet" + (command.empty() ? "" : " " + command.substr(0, command.size() - 2)) +
      " --help` shows what there is)");
  return {exit_usage};
}

}  // namespace trivet::cli
