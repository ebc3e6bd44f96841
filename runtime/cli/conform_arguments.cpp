#include "runtime/cli/conform_arguments.hpp"

#include "runtime/cli/usage.hpp"
#include "runtime/config/text.hpp"
#include "runtime/config/units.hpp"

namespace trivet::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto longest_timeout = 24h;

}  // namespace

void ConformArguments::add_to(CLI::App& app) {
  conform_ = app.add_subcommand(
      "conform", "Put good, odd and hostile requests to any FastCGI application, and judge what it does");
  conform_->add_option("ADDRESS", conforming_.address, "unix:PATH or tcp:HOST:PORT")->option_text(" ");
  conform_->add_option("--responder", conforming_.responder, "What a responder answers; / if not given")
      ->option_text("URI");
  conform_->add_option("--authorizer", conforming_.authorizer, "What an authorizer guards")
      ->option_text("URI");
  conform_
      ->add_option("--grant", grant_,
                   "NAME=VALUE: with this parameter the authorizer says yes; may be repeated")
      ->allow_extra_args(false)
      ->option_text("PARAM");
  conform_->add_option("--filter", conforming_.filter, "What a filter filters")->option_text("URI");
  conform_->add_option("--only", conforming_.only, "This case alone; may be repeated")
      ->allow_extra_args(false)
      ->option_text("CASE");
  conform_->add_flag("--list", conforming_.list, "Show the cases");
  conform_->add_option("--timeout", patience_, "How long an answer may take, e.g. 500ms; 3s if not given")
      ->option_text("TIME");
  conform_
      ->add_option("--idle-timeout", idle_timeout_,
                   "After how long the application gives a half request up (case R14; skipped without)")
      ->option_text("TIME");
  conform_
      ->add_option("--pid", conforming_.process,
                   "The process whose memory, with that of its children, is looked at; that which listens on "
                   "the unix socket if not given")
      ->check(CLI::Range(1, 1 << 30))
      ->option_text("PID");
  conform_->add_flag("!--no-memory", conforming_.look_at_memory, "Look at nobody's memory");
  conform_->footer(
      "The application has to answer the same request always the same way. A case is passed when the\n"
      "application does what FastCGI 1.0 asks for, and a good request on a new connection is answered\n"
      "afterwards. Not for applications that others use: some cases open hundreds of connections.\n\n"
      "Exit codes: 0 all passed, 1 some failed, 69 nobody answers.\n\n"
      "Examples:\n"
      "  trivet conform --list\n"
      "  trivet conform unix:/run/trivet/trivet.sock --responder /hello --authorizer /private/x \\\n"
      "    --grant 'HTTP_X_API_KEY=open sesame' --filter /page --idle-timeout 5s\n"
      "  trivet conform 127.0.0.1:9000 -p SCRIPT_FILENAME=/srv/index.php --pid 4711");
}

Command ConformArguments::finish() {
  if (conforming_.address.empty() && !conforming_.list) return usage("conform: ", "ADDRESS is required");
  for (const std::string& each : grant_) {
    const std::size_t equals = each.find('=');
    if (equals == std::string::npos || equals == 0)
      return usage("conform: ", "--grant takes NAME=VALUE, not " + config::in_quotes(each));
    conforming_.grant.emplace_back(each.substr(0, equals), each.substr(equals + 1));
  }
  const auto timeout = config::parse_duration(patience_);
  if (!timeout || *timeout <= 0ms || *timeout > longest_timeout) {
    return usage("conform: ",
                 "--timeout takes 1ms to 24h, such as 500ms or 30s, not " + config::in_quotes(patience_));
  }
  conforming_.timeout = *timeout;
  if (idle_timeout_.empty()) return conforming_;
  conforming_.idle_timeout = config::parse_duration(idle_timeout_);
  if (!conforming_.idle_timeout || *conforming_.idle_timeout > longest_timeout) {
    return usage("conform: ",
                 "--idle-timeout takes 0s to 24h, such as 5s, not " + config::in_quotes(idle_timeout_));
  }
  return conforming_;
}

}  // namespace trivet::cli
