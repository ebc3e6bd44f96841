#include "runtime/cli/snippet/servers.hpp"

namespace trivet::cli::snippet {
namespace {

class Writing {
 public:
  explicit Writing(const Site& site)
      : site_(site),
        where_(site.is_unix()
                   ? "\"socket\" => \"" + site.address + "\""
                   : "\"host\" => \"" + site.host + "\", \"port\" => " + std::to_string(site.port)) {}

  std::string run() const {
    std::string text = heading(
        site_,
        {"For lighttpd: put it into /etc/lighttpd/conf-available/50-trivet.conf,",
         "    lighty-enable-mod fastcgi setenv trivet",
         "(mod_fastcgi before mod_proxy in server.modules: the first of them answers, and only one asks),",
         "and `lighttpd -tt -f /etc/lighttpd/lighttpd.conf`, then restart lighttpd. Inside a guarded "
         "path its",
         "fastcgi.server takes the place of others: write what runs there, such as \".php\", into the "
         "same list.",
         "Applications behind HTTP (mod_proxy) are not told the variables of guards. Leave "
         "url-invalid-utf8-reject and",
         "url-ctrls-reject of server.http-parseopts as they are: no condition fits such a path."});
    bool first = true;
    for (const Entry& entry : site_.entries) {
      // The first condition that holds, as with Trivet's routes.
      text += (first ? "\n" : " else ") +
              ("$HTTP[\"url\"] =~ \"" + path_regex(entry.pattern, RegexUnit::code_point)) + "\" {\n" +
              comment(entry, "  ", in_words(entry.treatment, "lighttpd serves")) + inside(entry) + "}";
      first = false;
    }
    return text + "\n";
  }

 private:
  [[nodiscard]] std::string inside(const Entry& entry) const {
    if (entry.treatment == Treatment::refuse) return "  url.access-deny = ( \"\" )\n";
    std::string environment;
    if (entry.asks())
      environment += "\"TRIVET_ROUTE\" => " + lighttpd_text(entry.route->name).value_or("\"\"");
    if (!site_.wish.host.empty())
      environment +=
          std::string(environment.empty() ? "" : ", ") + "\"TRIVET_HOST\" => \"" + site_.wish.host + "\"";
    std::string text;
    if (!environment.empty()) text += "  setenv.set-environment = ( " + environment + " )\n";
    if (entry.asks() && !entry.route->variables.empty()) {
      // An empty value takes the client's header away.
      text += "  setenv.set-request-header = (";
      const char* comma = " ";
      for (const std::string& variable : entry.route->variables) {
        std::vector<std::string> headers = other_headers_of(variable, "_.~!#$%&'*+^`|");
        headers.push_back(header_of(variable));
        for (const std::string& each : headers) {
          text += comma + ("\"" + each + "\" => \"\"");
          comma = ", ";
        }
      }
      text += " )\n";
    }
    const std::string local = ", \"check-local\" => \"disable\" )";
    text += "  fastcgi.server = ( \"/\" => (\n";
    if (entry.asks()) text += "    \"guard\" => ( " + where_ + ", \"mode\" => \"authorizer\"" + local;
    if (entry.treatment == Treatment::ask_then_pass) text += ",\n";
    if (entry.treatment != Treatment::ask) text += "    \"app\" => ( " + where_ + local;
    return text + "\n  ))\n";
  }

  const Site& site_;
  std::string where_;
};

}  // namespace

std::string write_lighttpd(const Site& site) { return Writing(site).run(); }

}  // namespace trivet::cli::snippet
