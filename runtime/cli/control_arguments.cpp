#include "runtime/cli/control_arguments.hpp"

#include <algorithm>

#include "runtime/cli/call_address.hpp"
#include "runtime/cli/usage.hpp"

namespace trivet::cli {
namespace {

using Request = host::AdminRequest::Command;

constexpr const char* exit_codes =
    "Exit codes: 0 done, 1 failed, 64 wrong command line, 69 no host was reached";

constexpr std::pair<std::string_view, Request> requests[] = {
    {"reload", Request::reload}, {"upgrade", Request::upgrade}, {"status", Request::status},
    {"stop", Request::stop},     {"drain", Request::drain},     {"log-level", Request::log_level}};

}  // namespace

CLI::App& ControlArguments::add(CLI::App& app, const std::string& name, const std::string& about,
                                const std::string& footer) {
  CLI::App& command = *app.add_subcommand(name, about);
  command
      .add_option("--admin", asking_.address,
                  "The host's admin socket; unix:/run/trivet/admin.sock if not given")
      ->option_text("ADDRESS");
  command.add_option("-c,--config", asking_.config_file, "Take it from the `admin` of this configuration")
      ->option_text("FILE");
  command.footer(footer);
  commands_.push_back(&command);
  return command;
}

void ControlArguments::add_to(CLI::App& app) {
  add(app, "reload", "Let the running host take its configuration and plugins anew",
      "Returns when the new workers serve and the old ones accept no more; requests that run there are\n"
      "finished. Where anything is wrong, all of it is told and the host goes on as before. SIGHUP does the\n"
      "same, and tells it in the log.\n\n" +
          std::string(exit_codes) + ", 78 configuration invalid.");
  CLI::App& status = add(app, "status", "Show what the running host is doing", std::string(exit_codes) + ".");
  status.add_option("--format", format_, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->option_text("FORMAT");
  status.add_flag("--json", json_, "The same as --format json");
  CLI::App& stop = add(app, "stop", "End the running host",
                       "Requests that run have shutdown_grace to end. Returns when the host has ended, also "
                       "where\nsomebody else had begun to stop it.\n\n" +
                           std::string(exit_codes) + ".");
  stop.add_flag("--now", asking_.request.now, "Cut what runs");
  stop.add_flag("--no-wait", no_wait_, "Return at once");
  add(app, "drain", "End the running host when it has nothing more to do",
      "As stop, but without a bound: nobody is accepted, what runs is finished, kept connections close when\n"
      "they are idle. A `trivet stop` meanwhile puts the bound back.\n\n" +
          std::string(exit_codes) + ".")
      .add_flag("--no-wait", no_wait_, "Return at once");
  add(app, "log-level", "Change how much the running host logs, until it is reloaded",
      std::string(exit_codes) + ".")
      .add_option("LEVEL", asking_.request.level, "trace, debug, info, warn, error or off")
      ->required()
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->option_text(" ");
  add(app, "upgrade", "Let the running host become the program that is now in its place",
      "Process id, sockets and connections stay. A program that does not start changes nothing. SIGUSR2 "
      "does\n"
      "the same, and tells it in the log.\n\n" +
          std::string(exit_codes) + ", 78 configuration invalid.");
  attach_ = app.add_subcommand("attach", "Hand a web server's listening socket over to the running host");
  attach_->add_option("ADDRESS", attaching_.address, "The `attach` socket of the host")->option_text(" ");
  attach_->footer(
      "For web servers that start FastCGI applications themselves (Apache's mod_fcgid, lighttpd's bin-path,\n"
      "h2o's spawn), in place of `trivet serve`: descriptor 0 is the socket. ADDRESS is\n"
      "unix:/run/trivet/attach.sock if not given. Stays as long as the socket is to be served; a host that\n"
      "starts again within 30 seconds is given it again.\n\n"
      "Exit codes: 0 after SIGTERM, 64 descriptor 0 is no listening unix socket, 69 no host was reached.");
}

bool ControlArguments::parsed() const {
  return attach_->parsed() ||
         std::any_of(commands_.begin(), commands_.end(), [](const CLI::App* each) { return each->parsed(); });
}

Command ControlArguments::finish() {
  if (attach_->parsed()) return attaching_;
  const auto which =
      std::find_if(commands_.begin(), commands_.end(), [](const CLI::App* each) { return each->parsed(); });
  const std::string name = (*which)->get_name();
  for (const auto& [word, request] : requests) {
    if (word == name) asking_.request.command = request;
  }
  asking_.request.json = json_ || format_ == "json";
  asking_.request.wait = !no_wait_;
  if (!asking_.address.empty() && !asking_.config_file.empty())
    return usage(name + ": ", "--admin and -c both name the admin socket");
  if (asking_.address.empty()) return asking_;
  const auto address = call_address(asking_.address);
  if (const auto* problem = std::get_if<std::string>(&address))
    return usage(name + ": ", "--admin: " + *problem);
  if (!std::holds_alternative<config::UnixAddress>(std::get<config::Address>(address)))
    return usage(name + ": ", "--admin takes the path of a unix socket");
  return asking_;
}

}  // namespace trivet::cli
