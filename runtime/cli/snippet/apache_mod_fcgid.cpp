#include <algorithm>

#include "runtime/cli/snippet/apache.hpp"
#include "runtime/cli/snippet/program.hpp"
#include "runtime/cli/snippet/servers.hpp"

namespace trivet::cli::snippet {
namespace {

using config::Phase;
using config::Route;

bool is_in(const Route& route, Phase phase) {
  // A route without a phase that has a guard on one path with others: what Apache asks first.
  if (route.phases.empty()) return phase == Phase::access_checker;
  return std::find(route.phases.begin(), route.phases.end(), phase) != route.phases.end();
}

class Writing {
 public:
  explicit Writing(const Site& site) : site_(site), command_("\"" + attach_command(site.address) + "\"") {}

  std::string run() const {
    std::string text =
        heading(site_, {"For Apache with mod_fcgid: put it into /etc/apache2/conf-enabled/trivet.conf, or "
                        "into one <VirtualHost>,",
                        "    a2enmod fcgid headers setenvif",
                        "and `apachectl -t`, then reload Apache. It starts `trivet attach`, which hands the "
                        "sockets over to the host.",
                        "Of every refusal mod_fcgid makes 401, without its body; a redirect to a login page "
                        "does not arrive.",
                        "Once, outside of every <VirtualHost> (why, is in conf/apache/trivet.conf):",
                        "    FcgidSpawnScoreUpLimit 1000", "    Mutex pthread fcgid-proctbl",
                        "    Mutex pthread fcgid-pipe"});
    text += "\nFcgidMaxRequestLen 1073741824\nFcgidIOTimeout 90\n";
    for (const Entry& entry : site_.entries) text += section(entry);
    return text;
  }

 private:
  [[nodiscard]] std::string section(const Entry& entry) const {
    const std::string pass =
        "  SetHandler fcgid-script\n  FcgidWrapper " + command_ + " virtual\n  Options +ExecCGI\n";
    const bool too_many = entry.phases.size() > 1 && entry.path.shape == PathRule::Shape::pattern;
    if (entry.treatment == Treatment::refuse || too_many) {
      Entry refused = entry;
      refused.treatment = Treatment::refuse;
      return apache_section(site_, refused, apache_refuse);
    }
    if (entry.treatment == Treatment::pass) {
      const bool guarded = !entry.route->authorize.empty();
      return apache_section(site_, entry,
                            apache_steering(site_, "", "") + (guarded ? "  CGIPassAuth On\n" : "") + pass);
    }
    if (entry.treatment == Treatment::ask) return apache_section(site_, entry, ask(entry));
    return apache_section(site_, entry, ask(entry) + pass);
  }

  [[nodiscard]] std::string ask(const Entry& entry) const {
    std::vector<const Route*> routes = entry.phases;
    if (routes.empty()) routes.push_back(entry.route);
    const auto some = [&](Phase phase) {
      return std::any_of(routes.begin(), routes.end(),
                         [&](const Route* each) { return is_in(*each, phase); });
    };
    std::string text;
    if (some(Phase::access_checker)) text += "  FcgidAccessChecker " + command_ + "\n";
    if (some(Phase::authenticator) || some(Phase::authorizer)) {
      text += "  AuthType Basic\n  AuthName \"restricted\"\n";
      text +=
          some(Phase::authenticator)
              // A provider that knows nobody leaves it to the authenticator.
              ? "  AuthBasicProvider file\n  AuthUserFile /dev/null\n  AuthBasicAuthoritative Off\n"
                "  FcgidAuthenticator " +
                    command_ + "\n"
              : "  # Whom Apache knows: AuthUserFile, or another provider. Without one nobody is let in.\n";
      if (some(Phase::authorizer)) text += "  FcgidAuthorizer " + command_ + "\n";
      text += "  Require valid-user\n";
    }
    text += apache_satisfy;
    text += "  CGIPassAuth On\n";
    // All questions about one request carry the same text: the phase tells the routes apart.
    text += routes.size() == 1 ? apache_steering(site_, "TRIVET_ROUTE", entry.route->name)
                               : apache_steering(site_, "TRIVET_PATH",
                                                 entry.path.literal.empty() ? "/" : entry.path.literal);
    std::vector<std::string> variables;
    for (const Route* route : routes) {
      for (const std::string& each : route->variables) {
        if (std::find(variables.begin(), variables.end(), each) == variables.end()) variables.push_back(each);
      }
    }
    text += apache_variables(variables);
    for (const std::string& each : variables) text += "  Header always unset Variable-" + each + "\n";
    return text;
  }

  const Site& site_;
  std::string command_;
};

}  // namespace

std::string write_mod_fcgid(const Site& site) { return Writing(site).run(); }

}  // namespace trivet::cli::snippet
