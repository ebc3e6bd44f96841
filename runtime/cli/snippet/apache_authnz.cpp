#include "runtime/cli/snippet/apache.hpp"
#include "runtime/cli/snippet/servers.hpp"

namespace trivet::cli::snippet {
namespace {

/// A user has to come out of it, or mod_authnz_fcgi answers 500: where the guards name none, it is "trivet".
constexpr const char* ask_for_verdict =
    "  AuthType None\n"
    "  AuthnzFcgiCheckAuthnProvider trivet Authoritative On RequireBasicAuth Off DefaultUser trivet UserExpr "
    "\"%{reqenv:REMOTE_USER}\"\n"
    "  Require valid-user\n"
    "  CGIPassAuth On\n";

std::string ask(const Site& site, const Entry& entry) {
  return std::string(ask_for_verdict) + apache_satisfy +
         apache_steering(site, "TRIVET_ROUTE", entry.route->name) + apache_variables(entry.route->variables);
}

}  // namespace

std::string write_authnz(const Site& site) {
  std::string text = heading(
      site,
      {"For Apache with mod_authnz_fcgi, which asks, and mod_proxy_fcgi, which passes on: put it into",
       "/etc/apache2/conf-enabled/trivet.conf, or into one <VirtualHost> (its first line then outside of "
       "it),",
       "    a2enmod authnz_fcgi authz_user proxy_fcgi headers setenvif",
       "and `apachectl -t`, then reload Apache. Where a guard names no user, REMOTE_USER is \"trivet\"."});
  if (site.some_ask()) {
    text += std::string(site.wish.host.empty() ? "\n" : "\n# Outside of <VirtualHost>:\n# ") +
            "AuthnzFcgiDefineProvider authn trivet fcgi://" + site.host + ":" + std::to_string(site.port) +
            "/\n";
  }
  for (const Entry& entry : site.entries) {
    switch (entry.treatment) {
      case Treatment::pass:
        text += apache_section(site, entry, apache_pass(site, entry));
        break;
      case Treatment::ask:
        text += apache_section(site, entry, ask(site, entry));
        break;
      case Treatment::ask_then_pass:
        text += apache_section(site, entry, ask(site, entry) + apache_pass(site, entry));
        break;
      case Treatment::refuse:
        text += apache_section(site, entry, apache_refuse);
        break;
    }
  }
  return text;
}

std::string write_proxy(const Site& site) {
  std::string text = heading(
      site,
      {"For Apache with mod_proxy_fcgi, which passes on and asks nobody: put it into",
       "/etc/apache2/conf-enabled/trivet.conf, or into one <VirtualHost>,", "    a2enmod proxy_fcgi setenvif",
       "and `apachectl -t`, then reload Apache. What Apache itself serves is guarded by the snippets",
       "apache-mod_fcgid and apache-authnz."});
  for (const Entry& entry : site.entries) {
    const bool pass = entry.treatment == Treatment::pass;
    text += apache_section(site, entry, pass ? apache_pass(site, entry) : apache_refuse);
  }
  return text;
}

}  // namespace trivet::cli::snippet
