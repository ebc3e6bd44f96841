#include "runtime/cli/snippet_arguments.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "runtime/cli/snippet/servers.hpp"
#include "runtime/cli/usage.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"

namespace trivet::cli {
namespace {

std::string all_servers() {
  std::string text;
  for (const snippet::WebServer& each : snippet::web_servers()) {
    std::string name(each.name);
    name.resize(18, ' ');
    text += "  " + name + std::string(each.about) + "\n";
  }
  return text;
}

/// As `hosts` of a route are compared: in small letters, without a port.
bool is_host(std::string_view host) {
  return std::all_of(host.begin(), host.end(),
                     [](char each) {
                       return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') ||
                              std::string_view(".-_[:]").find(each) != std::string_view::npos;
                     }) &&
         (host.find(':') == std::string_view::npos || host.front() == '[');
}

}  // namespace

void SnippetArguments::add_to(CLI::App& app) {
  command_ =
      app.add_subcommand("snippet", "Write what a web server's configuration needs for this one's routes");
  command_
      ->add_option("-c,--config", taken_.config_file,
                   "The configuration; " + taken_.config_file + " if not given")
      ->option_text("FILE");
  command_->add_option("SERVER", taken_.server, "The web server: one of those below")
      ->required()
      ->option_text(" ");
  command_
      ->add_option(
          "--host", taken_.host,
          "The virtual host that it is for: routes with other `hosts` are left out, and Trivet is told it")
      ->option_text("NAME");
  command_
      ->add_option("--listener", taken_.listener,
                   "The name of the [[listen]] to connect to; the first that fits if not given")
      ->option_text("NAME");
  command_->footer("Servers:\n" + all_servers() +
                   "\nThe text goes to standard output. Its first lines say where to put it and how to check "
                   "it; comments say\n"
                   "what that server cannot do. No plugin code runs.\n\n"
                   "Exit codes: 0 ok, 1 it cannot be written, 64 wrong command line, 78 the configuration is "
                   "invalid, or has no\n"
                   "[[listen]] that the server can connect to.\n\n"
                   "Examples:\n"
                   "  trivet snippet nginx > /etc/nginx/snippets/trivet.conf\n"
                   "  trivet snippet -c trivet.toml --host www.example.org apache-mod_fcgid");
}

Command SnippetArguments::finish() {
  std::vector<std::string_view> names;
  for (const snippet::WebServer& each : snippet::web_servers()) names.push_back(each.name);
  if (std::find(names.begin(), names.end(), taken_.server) == names.end()) {
    std::string known;
    for (const std::string_view each : names) known += (known.empty() ? "" : ", ") + std::string(each);
    // `apache` is no typing error of three names.
    const auto meant = taken_.server == "apache" || taken_.server == "httpd"
                           ? std::nullopt
                           : config::closest(taken_.server, names);
    return usage("snippet: ",
                 "there is no snippet for " + config::in_quotes(taken_.server) +
                     (meant ? ": did you mean `" + std::string(*meant) + "`? There" : ": there") + " are " +
                     known);
  }
  for (char& each : taken_.host) {
    if (each >= 'A' && each <= 'Z') each = static_cast<char>(each + 32);
  }
  if (command_->count("--host") != 0 && (taken_.host.empty() || !is_host(taken_.host)))
    return usage("snippet: ", "--host takes a name without a port, not " + config::in_quotes(taken_.host));
  return taken_;
}

}  // namespace trivet::cli
