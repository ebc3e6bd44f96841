#include <algorithm>

#include "runtime/cli/snippet/servers.hpp"

namespace trivet::cli::snippet {
namespace {

class Writing {
 public:
  explicit Writing(const Site& site)
      : site_(site),
        to_(site.is_unix() ? "unix@" + site.address : site.host + ":" + std::to_string(site.port)) {}

  std::string run() {
    text_ = heading(site_, {"For HAProxy, from 2.4 on: append it to haproxy.cfg, or put it into a file of "
                            "its own (haproxy -f, twice).",
                            "Take the lines of `frontend trivet` into a frontend of yours, first of all, or "
                            "let this one be it; then",
                            "    haproxy -c -f /etc/haproxy/haproxy.cfg",
                            "and reload HAProxy. Where its `global` has a chroot, as Debian's has, a path of "
                            "a socket is one below it."});
    if (site_.some_ask()) {
      text_ += "\nglobal\n  setenv TRIVET_ADDRESS " + to_ +
               "\n  lua-load-per-thread /usr/share/trivet/haproxy/trivet_auth.lua\n";
    }
    write_frontend();
    write_application();
    return text_;
  }

 private:
  void write_frontend() {
    text_ +=
        "\nfrontend trivet\n  mode http\n  bind :80\n  timeout client 60s\n"
        "  http-request set-var(txn.trivet_path) path,url_dec\n"
        "  http-request deny deny_status 400 unless { var(txn.trivet_path) -m found }\n";
    if (site_.some_ask() || site_.some(Treatment::refuse)) {
      text_ +=
          "  # What a server behind this one may take for another path.\n"
          "  http-request deny deny_status 400 if { path -m reg -i '%(00|2f|5c)|;' } || { "
          "var(txn.trivet_path) "
          "-m reg '//|\\\\|/\\.\\.?(/|$)' }\n";
    }
    text_ +=
        "  # The first that fits; 0: none of them.\n"
        "  http-request set-var(txn.trivet_entry) int(0)\n";
    for (std::size_t at = 0; at < site_.entries.size(); ++at) {
      text_ += comment(site_.entries[at], "  ", in_words(site_.entries[at].treatment, "HAProxy passes on")) +
               "  http-request set-var(txn.trivet_entry) int(" + std::to_string(at + 1) + ") if " +
               is_entry(0) + " { var(txn.trivet_path) -m reg '" + path_regex(site_.entries[at].pattern) +
               "' }\n";
    }
    text_ +=
        "  # CGI takes them for headers with `-`.\n"
        "  http-request del-header '[^a-z0-9-]' -m reg if !" +
        is_entry(0) + "\n";
    for (std::size_t at = 0; at < site_.entries.size(); ++at) write_rules(site_.entries[at], at);
    if (site_.some_ask()) text_ += "  http-response lua.trivet_cookies\n";
    for (std::size_t at = 0; at < site_.entries.size(); ++at) {
      const Treatment treatment = site_.entries[at].treatment;
      if (treatment == Treatment::pass || treatment == Treatment::ask_then_pass)
        text_ += "  use_backend trivet if " + is_entry(at + 1) + "\n";
    }
    text_ += "  # default_backend: what else there is, guarded where it is said above\n";
  }

  void write_rules(const Entry& entry, std::size_t at) {
    const std::string condition = is_entry(at + 1);
    if (entry.treatment == Treatment::refuse)
      text_ += "  http-request deny deny_status 403 if " + condition + "\n";
    if (!entry.asks()) return;
    const std::string name = haproxy_word(entry.route->name);
    // HAProxy goes on with a request whose Lua failed: the second line is what stops it.
    text_ += "  http-request lua.trivet_auth " + name + " if " + condition +
             "\n  http-request deny deny_status 500 if " + condition +
             " !{ var(txn.trivet.allowed) -m str -- " + name + " }\n";
    for (const std::string& each : entry.route->variables) {
      text_ += "  http-request set-header " + header_of(each) + " %[var(txn.trivet." + each + ")] if " +
               condition + "\n";
    }
    // HAProxy would say REMOTE_USER and AUTH_TYPE of it, and has not looked at the password.
    if (entry.treatment == Treatment::ask_then_pass)
      text_ += "  http-request del-header Authorization if " + condition + "\n";
  }

  void write_application() {
    if (!site_.some(Treatment::pass) && !site_.some(Treatment::ask_then_pass)) return;
    text_ += "\nfcgi-app trivet\n  docroot /var/www\n  pass-header Authorization\n";
    if (!site_.wish.host.empty())
      text_ += "  set-param TRIVET_HOST " + haproxy_format(site_.wish.host) + "\n";
    for (std::size_t at = 0; at < site_.entries.size(); ++at) {
      if (site_.entries[at].treatment != Treatment::ask_then_pass) continue;
      // HAProxy says REMOTE_USER by itself, of a password that it did not look at.
      std::vector<std::string> variables = site_.entries[at].route->variables;
      if (std::find(variables.begin(), variables.end(), "REMOTE_USER") == variables.end())
        variables.emplace_back("REMOTE_USER");
      for (const std::string& each : variables)
        text_ += "  set-param " + each + " %[var(txn.trivet." + each + ")] if " + is_entry(at + 1) + "\n";
    }
    text_ +=
        "\nbackend trivet\n  mode http\n  timeout connect 5s\n"
        "  timeout server 90s                     # Trivet has clocks of its own, which tell what was slow\n"
        "  use-fcgi-app trivet\n  http-reuse safe\n  server trivet " +
        to_ + " proto fcgi\n";
  }

  static std::string is_entry(std::size_t entry) {
    return "{ var(txn.trivet_entry) -m int " + std::to_string(entry) + " }";
  }

  const Site& site_;
  std::string to_;
  std::string text_;
};

}  // namespace

std::string write_haproxy(const Site& site) { return Writing(site).run(); }

}  // namespace trivet::cli::snippet
