#include "runtime/cgi/dialect.hpp"

#include <string>
#include <vector>

#include "runtime/cgi/text.hpp"

namespace trivet::cgi {
namespace {

using Cookies = Dialect::Cookies;

constexpr Dialect fastcgi{.name = "fastcgi"};
constexpr Dialect lighttpd{.name = "lighttpd"};
constexpr Dialect mod_fcgid{.name = "mod_fcgid"};
constexpr Dialect mod_authnz_fcgi{.name = "mod_authnz_fcgi", .shows_pages_in_one_record = true};
constexpr Dialect nginx{.name = "nginx", .knows_only_401_and_403 = true, .cookies = Cookies::numbered};
constexpr Dialect caddy{.name = "caddy", .cookies = Cookies::lines};
constexpr Dialect haproxy{.name = "haproxy", .cookies = Cookies::lines};

constexpr const Dialect* all[] = {&fastcgi, &lighttpd, &mod_fcgid, &mod_authnz_fcgi,
                                  &nginx,   &caddy,    &haproxy};

/// What the value of SERVER_SOFTWARE begins with.
struct Software {
  std::string_view begin;
  const Dialect* dialect;
};
constexpr Software software[] = {
    {"nginx", &nginx}, {"Caddy", &caddy}, {"HAProxy", &haproxy}, {"lighttpd", &lighttpd}};

constexpr std::string_view own = "X-Trivet-";

void remove_own_fields(ResponseHead& head) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < head.size(); ++i) {
    const std::string_view name = head.at(i).name;
    if (equals_ignoring_case(name.substr(0, own.size()), own)) names.emplace_back(name);
  }
  for (const std::string& name : names) head.remove(name);
}

/// The value passed the same check before.
void add(ResponseHead& head, const std::string& name, const std::string& value) {
  static_cast<void>(head.add(name, value));
}

void rename(ResponseHead& head, std::string_view name) {
  const auto found = head.find(name);
  if (!found) return;
  const std::string value(*found);
  head.remove(name);
  add(head, std::string(own) + std::string(name), value);
}

/// nginx 1.22 passes on the first of several lines; a list is the same (RFC 9110, 11.6.1).
void join_challenges(ResponseHead& head) {
  constexpr std::string_view name = "WWW-Authenticate";
  std::string joined;
  std::size_t count = 0;
  for (std::size_t i = 0; i < head.size(); ++i) {
    const ResponseHead::Field field = head.at(i);
    if (!equals_ignoring_case(field.name, name)) continue;
    if (count++ != 0) joined += ", ";
    joined += field.value;
  }
  if (count < 2) return;
  head.remove(name);
  add(head, std::string(name), joined);
}

}  // namespace

ChosenDialect choose_dialect(const Params& params) noexcept {
  if (const Param* said = params.find(KnownParam("TRIVET_DIALECT"))) {
    for (const Dialect* each : all) {
      if (said->value == each->name) return {each, said->name, false};
    }
    return {&fastcgi, said->name, true};
  }
  // mod_authnz_fcgi sends FCGI_ROLE too, and as a provider of AuthType Basic that alone.
  const bool has_role = params.find(KnownParam("FCGI_ROLE")) != nullptr;
  if (!has_role && params.find(KnownParam("FCGI_APACHE_ROLE")) != nullptr)
    return {&mod_fcgid, "FCGI_APACHE_ROLE", false};
  const std::string_view server = params.get(KnownParam("SERVER_SOFTWARE"));
  for (const Software& each : software) {
    if (server.substr(0, each.begin.size()) == each.begin) return {each.dialect, "SERVER_SOFTWARE", false};
  }
  if (has_role) return {&mod_authnz_fcgi, "FCGI_ROLE", false};
  return {&fastcgi, {}, false};
}

void translate_denial(const Dialect& dialect, ResponseHead& head) {
  if (!dialect.knows_only_401_and_403) return;
  remove_own_fields(head);
  const int status = head.status();
  if (dialect.shown(status) != status) {
    rename(head, "Location");
    rename(head, "Retry-After");
    head.set_status(dialect.shown(status));
    add(head, std::string(own) + "Status", std::to_string(status));
  }
  join_challenges(head);
  number_cookies(head);
}

bool wants_one_record(const Dialect& dialect, const ResponseHead& head) noexcept {
  if (!dialect.shows_pages_in_one_record) return false;
  constexpr std::string_view html = "text/html";
  const std::string_view type = head.find("Content-Type").value_or(std::string_view());
  const bool is_longer = type.size() > html.size();
  return equals_ignoring_case(type.substr(0, html.size()), html) &&
         (!is_longer || type[html.size()] == ';' || type[html.size()] == ' ');
}

void number_cookies(ResponseHead& head) {
  constexpr std::string_view name = "Set-Cookie";
  std::vector<std::string> values;
  for (std::size_t i = 0; i < head.size(); ++i) {
    const ResponseHead::Field field = head.at(i);
    if (equals_ignoring_case(field.name, name)) values.emplace_back(field.value);
  }
  if (values.size() < 2) return;
  head.remove(name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    add(head, i == 0 ? std::string(name) : std::string(own) + std::string(name) + "-" + std::to_string(i + 1),
        values[i]);
  }
}

}  // namespace trivet::cgi
