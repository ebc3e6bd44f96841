#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "runtime/config/pattern.hpp"
#include "runtime/config/sections.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

constexpr std::array known_methods = {"GET",   "HEAD",     "POST",  "PUT",       "DELETE", "OPTIONS",
                                      "PATCH", "PROPFIND", "MKCOL", "PROPPATCH", "COPY",   "MOVE",
                                      "LOCK",  "UNLOCK",   "TRACE", "CONNECT",   "REPORT"};

bool is_alphanumeric(char each) {
  return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9');
}

/// A token (RFC 9110, 5.6.2).
bool is_token(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char each) {
    return is_alphanumeric(each) || std::string_view("!#$%&'*+-.^_`|~").find(each) != std::string_view::npos;
  });
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& each : result) {
    if (each >= 'a' && each <= 'z') each = static_cast<char>(each - 32);
  }
  return result;
}

/// What is wrong with a host that is in lower case; empty if nothing.
std::string find_host_problem(const std::string& host) {
  if (host.front() == '[') {
    in6_addr ignored{};
    const bool whole = host.size() > 2 && host.back() == ']';
    if (whole && inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &ignored) == 1) return {};
    return "is not an IPv6 address in brackets without a port";
  }
  if (host.find(':') != std::string::npos) return "has a port: hosts are compared without";
  if (host.find('*') != std::string::npos) return "has a `*`: hosts are compared whole";
  if (std::any_of(host.begin(), host.end(),
                  [](char each) { return (static_cast<unsigned char>(each) & 0x80U) != 0; })) {
    return "is not ASCII: browsers send the form that starts with xn--";
  }
  const bool plain = std::all_of(host.begin(), host.end(), [](char each) {
    return is_alphanumeric(each) || each == '.' || each == '-' || each == '_';
  });
  if (!plain || host.empty() || host.front() == '.') return "is not a host name";
  return {};
}

void read_hosts(TableReader& reader, std::vector<std::string>& out) {
  std::vector<NameAt> hosts;
  reader.texts("hosts", ListRule::some_distinct, hosts);
  for (const NameAt& each : hosts) {
    std::string host = each.name;
    for (char& letter : host) {
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + 32);
    }
    // A request's Host is compared without its final dot too.
    if (host.size() > 1 && host.back() == '.') host.pop_back();
    const std::string problem = find_host_problem(host);
    if (!problem.empty()) {
      reader.sink().error(each.span, "the host " + in_quotes(each.name) + " " + problem);
    } else if (std::find(out.begin(), out.end(), host) != out.end()) {
      reader.sink().error(each.span, "`hosts` holds " + in_quotes(host) + " twice");
    } else {
      out.push_back(std::move(host));
    }
  }
}

/// Variables with these names are the server's word, or decide what a process loads.
constexpr std::array<std::string_view, 8> reserved_prefixes = {"HTTP_",    "CONTENT_", "SCRIPT_", "PATH",
                                                               "REQUEST_", "SERVER_",  "LD_",     "TRIVET_"};

void read_variables(TableReader& reader, std::vector<std::string>& out) {
  std::vector<NameAt> variables;
  const Entry* entry = reader.texts("variables", ListRule::any, variables);
  for (NameAt& variable : variables) {
    const bool plain = std::all_of(variable.name.begin(), variable.name.end(), [](char each) {
      return (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') || each == '_';
    });
    const auto reserved =
        std::find_if(reserved_prefixes.begin(), reserved_prefixes.end(),
                     [&](std::string_view prefix) { return variable.name.starts_with(prefix); });
    if (!plain) {
      reader.sink().error(variable.span, in_quotes(variable.name) + " cannot name a variable",
                          "capital letters, digits and `_`, such as \"REMOTE_USER\"");
    } else if (reserved != reserved_prefixes.end()) {
      reader.sink().error(variable.span, "a guard may not set " + in_quotes(variable.name) +
                                             ": names that start with " + std::string(*reserved) +
                                             " are reserved");
    } else if (std::find(out.begin(), out.end(), variable.name) != out.end()) {
      reader.sink().error(variable.span, "`variables` holds " + in_quotes(variable.name) + " twice");
    } else {
      out.push_back(std::move(variable.name));
    }
  }
  if (entry != nullptr && reader.find("authorize") == nullptr) {
    reader.sink().warning(entry->key_span,
                          "`variables` has no effect without `authorize`: only a guard sets any");
  }
}

/// A table where only names are served: told by its first key.
void refuse_table(TableReader& reader, std::string_view key, const Node& node, bool in_list,
                  std::string_view hint) {
  const Table& table = *node.table();
  const std::string shown = table.empty() ? "{ }" : "{ " + one_line(table.front().key) + " = ... }";
  reader.sink().error(node.span,
                      in_list
                          ? '`' + shown + "` in `" + std::string(key) + "` is not served by this version yet"
                          : '`' + std::string(key) + " = " + shown + "` is not served by this version yet",
                      std::string(hint));
}

/// A name, or a list of names.
void read_names(TableReader& reader, std::string_view key, std::string_view what, std::vector<NameAt>& out) {
  const Entry* entry = reader.find(key);
  if (entry == nullptr) return;
  const std::string hint = std::string("the name of ") + std::string(what) + ", or a list of names";
  const auto add = [&](const Node& node, bool in_list) {
    if (node.table() != nullptr) {
      refuse_table(reader, key, node, in_list, hint);
    } else if (node.text() == nullptr) {
      reader.sink().error(node.span, '`' + std::string(key) + "` expects names, found " + describe(node),
                          hint);
    } else if (const std::string* text = reader.as_text(node, key)) {
      out.push_back({*text, node.span});
    }
  };
  const List* list = entry->value.list();
  if (list == nullptr) {
    add(entry->value, false);
    return;
  }
  if (list->empty()) {
    reader.sink().error(entry->value.span, '`' + std::string(key) + "` is an empty list", "leave it out");
  }
  for (const Node& each : *list) add(each, true);
}

void read_authorize_on(TableReader& reader, std::vector<Slice>& out) {
  std::vector<NameAt> names;
  const Entry* entry = reader.texts("authorize_on", ListRule::some_distinct, names);
  if (entry == nullptr) return;
  if (reader.find("authorize") == nullptr) {
    reader.sink().error(entry->key_span, "`authorize_on` without `authorize`: this route has no guards");
  }
  const std::vector<std::string_view> roles = {"responder", "authorizer", "filter"};
  out.clear();
  for (const NameAt& each : names) {
    const auto found = std::find(roles.begin(), roles.end(), each.name);
    if (found == roles.end()) {
      reader.sink().error(each.span, in_quotes(each.name) + " is not a role", did_you_mean(each.name, roles));
    } else {
      out.push_back(static_cast<Slice>(found - roles.begin()));
    }
  }
}

/// Only Apache's authorizer requests are in a phase: whatever else the route had would never run.
void check_phase_fits(TableReader& reader, const Entry& phase) {
  if (reader.find("authorize") == nullptr) {
    reader.sink().error(phase.key_span, "`phase` without `authorize`: this route has no guards");
  }
  for (const std::string_view key : {"respond", "filter"}) {
    const Entry* other = reader.find(key);
    if (other == nullptr) continue;
    reader.sink().error(other->key_span,
                        '`' + std::string(key) +
                            "` never runs on a route with `phase`, which takes only "
                            "authorizer requests of Apache",
                        "give it a route of its own");
  }
}

void read_phases(TableReader& reader, std::vector<Phase>& out) {
  const Entry* entry = reader.find("phase");
  if (entry == nullptr) return;
  std::vector<NameAt> names;
  read_names(reader, "phase", "a phase", names);
  const std::vector<std::string_view> phases = {"access_checker", "authenticator", "authorizer"};
  for (const NameAt& each : names) {
    const auto found = std::find(phases.begin(), phases.end(), each.name);
    const auto phase = static_cast<Phase>(found - phases.begin());
    if (found == phases.end()) {
      reader.sink().error(each.span, in_quotes(each.name) + " is not a phase",
                          did_you_mean(each.name, phases));
    } else if (std::find(out.begin(), out.end(), phase) != out.end()) {
      reader.sink().error(each.span, "`phase` holds " + in_quotes(each.name) + " twice");
    } else {
      out.push_back(phase);
    }
  }
  check_phase_fits(reader, *entry);
}

void read_path(TableReader& reader, RouteDraft& out) {
  const Entry* entry = reader.text("path", out.route.path);
  if (entry == nullptr) return;
  out.has_path = true;
  out.path_span = entry->value.span;
  if (auto problem = find_pattern_problem(out.route.path)) {
    reader.sink().error(out.path_span, "`path` " + problem->message, std::move(problem->hint));
    out.has_path = false;
    out.route.path = "/**";
  }
}

}  // namespace

void read_methods(TableReader& reader, std::vector<std::string>& out) {
  std::vector<NameAt> methods;
  reader.texts("methods", ListRule::some_distinct, methods);
  for (NameAt& method : methods) {
    const std::string shouted = upper(method.name);
    if (!is_token(method.name)) {
      reader.sink().error(method.span, in_quotes(method.name) + " is not a method", "such as \"GET\"");
    } else if (shouted != method.name &&
               std::find(known_methods.begin(), known_methods.end(), shouted) != known_methods.end()) {
      reader.sink().error(method.span,
                          "methods are case-sensitive: " + in_quotes(method.name) + " never arrives",
                          "did you mean " + in_quotes(shouted) + "?");
    } else {
      out.push_back(std::move(method.name));
    }
  }
}

void read_route(Sink& sink, const Table& table, const Span& span, RouteDraft& out) {
  TableReader reader(sink, table, "[[route]]");
  Route& route = out.route;
  out.span = span;
  route.place = sink.place(span);
  if (const Entry* name = reader.text("name", route.name)) {
    out.has_name = true;
    out.name_span = name->value.span;
  }
  reader.texts("listen", ListRule::some_distinct, out.listen);
  read_path(reader, out);
  read_hosts(reader, route.hosts);
  read_methods(reader, route.methods);
  read_guards(reader, out);
  read_authorize_on(reader, route.authorize_on);
  read_variables(reader, route.variables);
  read_respond(reader, out);
  read_filters(reader, out);
  std::size_t odd = 0;
  if (reader.word("odd_paths", {"refuse", "allow"}, odd) != nullptr) route.allow_odd_paths = odd == 1;
  reader.duration_or_off("timeout", any_duration, route.timeout);
  read_phases(reader, route.phases);
  const bool answers = reader.find("authorize") != nullptr || reader.find("respond") != nullptr ||
                       reader.find("filter") != nullptr;
  if (!answers) {
    sink.error(span, "this [[route]] does nothing: it has no `authorize`, `respond` or `filter`");
  }
  reader.finish();
}

}  // namespace trivet::config
