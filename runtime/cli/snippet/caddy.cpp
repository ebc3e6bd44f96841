#include "runtime/cli/snippet/servers.hpp"

namespace trivet::cli::snippet {
namespace {

/// As Go spells the name of a header: a capital at the beginning and behind each `-` only.
std::string as_go_spells(std::string_view variable) {
  std::string name = lower(variable);
  if (!name.empty() && name.front() >= 'a' && name.front() <= 'z')
    name.front() = static_cast<char>(name.front() - 32);
  return "Variable-" + name;
}

class Writing {
 public:
  explicit Writing(const Site& site)
      : site_(site),
        to_(site.is_unix() ? "unix/" + site.address : site.host + ":" + std::to_string(site.port)) {}

  std::string run() const {
    std::string text = heading(
        site_,
        {"For the inside of a site block of the Caddyfile: put it into /etc/caddy/trivet.caddy and write",
         "    import trivet.caddy",
         "into that block; then `caddy validate --adapter caddyfile --config /etc/caddy/Caddyfile`, and "
         "reload",
         "Caddy. It is asked (forward_auth) before any `handle`, `route`, `reverse_proxy` or `file_server` "
         "of",
         "that block runs; what you put into a `route` block together with `rewrite` runs as written "
         "there."});
    for (std::size_t at = 0; at < site_.entries.size(); ++at) text += entry(at);
    return text;
  }

 private:
  /// Disjoint: Caddy sorts directives, so that their order here says nothing.
  [[nodiscard]] std::string matcher(const Entry& entry, const std::string& name) const {
    std::string text = name + " {\n\t" + by_path(entry);
    for (const std::size_t each : entry.yields_to) text += "\tnot " + by_path(site_.entries[each]);
    return text + "}\n";
  }

  /// For requests whose path led here before a directive of the site (`uri`, `try_files`, `rewrite`) changed
  /// it.
  [[nodiscard]] std::string matcher_before(const Entry& entry, const std::string& name) const {
    std::string text = name + " {\n\t" + by_first_path(entry) + "\tnot " + by_path(entry);
    for (const std::size_t each : entry.yields_to) text += "\tnot " + by_first_path(site_.entries[each]);
    return text + "}\n";
  }

  static std::string by_path(const Entry& entry) {
    return "path_regexp `" + path_regex(entry.pattern, RegexUnit::code_point) + "`\n";
  }

  /// That path is not cleaned of doubled slashes.
  static std::string by_first_path(const Entry& entry) {
    std::string regex;
    for (const char each : path_regex(entry.pattern, RegexUnit::code_point)) {
      regex += each;
      if (each == '/' && !regex.ends_with("[^/")) regex += '+';
    }
    return "vars_regexp {http.request.orig_uri.path} `" + regex + "`\n";
  }

  [[nodiscard]] std::string host() const {
    return site_.wish.host.empty() ? "" : "\t\tenv TRIVET_HOST " + site_.wish.host + "\n";
  }

  [[nodiscard]] std::string entry(std::size_t at) const {
    const Entry& entry = site_.entries[at];
    const std::string name = "@trivet_" + std::to_string(at + 1);
    std::string text =
        "\n" + comment(entry, "", in_words(entry.treatment, "Caddy serves")) + matcher(entry, name);
    if (entry.treatment == Treatment::pass) return text + pass(entry, name);
    const std::string before = name + "_before";
    text += matcher_before(entry, before) + ask(entry, name) + ask(entry, before);
    return entry.treatment == Treatment::ask_then_pass ? text + pass(entry, name) : text;
  }

  [[nodiscard]] std::string steering(const Entry& entry) const {
    // A `handle` of the site may come before one of ours, a forward_auth does not: no role is called so
    // (500).
    if (entry.treatment == Treatment::refuse) return "\t\tenv TRIVET_ROLE refused\n";
    return "\t\tenv TRIVET_ROLE authorizer\n"
           "\t\tenv TRIVET_ROUTE " +
           caddy_word(entry.route->name).value_or("``") +
           "\n"
           "\t\tenv TRIVET_METHOD {http.request.orig_method}\n"
           "\t\tenv REQUEST_METHOD {http.request.orig_method}\n"
           "\t\tenv TRIVET_DIALECT caddy\n" +
           host();
  }

  /// The question is a GET without a body, whatever was asked for.
  [[nodiscard]] std::string ask(const Entry& entry, const std::string& name) const {
    std::string text = "forward_auth " + name + " " + to_ + " {\n\turi /_trivet/auth\n";
    if (entry.asks()) {
      for (const std::string& each : entry.route->variables)
        text += "\tcopy_headers " + as_go_spells(each) + ">" + header_of(each) + "\n";
    }
    text += odd_headers("\theader_up ");
    // Caddy would show the client the line Status of a denial.
    text += "\ttransport fastcgi {\n" + steering(entry) + "\t}\n\theader_down -Status\n}\n";
    return text + odd_headers("request_header " + name + " ");
  }

  /// CGI takes them for the headers with `-`.
  static std::string odd_headers(const std::string& begin) { return begin + "-*_*\n" + begin + "-*.*\n"; }

  [[nodiscard]] std::string pass(const Entry& entry, const std::string& name) const {
    std::string environment = host();
    if (entry.treatment == Treatment::ask_then_pass) {
      for (const std::string& each : entry.route->variables)
        environment += "\t\tenv " + each + " {http.request.header." + header_of(each) + "}\n";
    }
    std::string indented;
    for (const char each : environment) {
      if (indented.empty() || indented.back() == '\n') indented += '\t';
      indented += each;
    }
    return "handle " + name + " {\n\treverse_proxy " + to_ + " {\n" + odd_headers("\t\theader_up ") +
           "\t\ttransport fastcgi" + (indented.empty() ? "\n" : " {\n" + indented + "\t\t}\n") + "\t}\n}\n";
  }

  const Site& site_;
  std::string to_;
};

}  // namespace

std::string write_caddy(const Site& site) { return Writing(site).run(); }

}  // namespace trivet::cli::snippet
