#include "runtime/cli/snippet/site.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/version.hpp"
#include "runtime/config/guards.hpp"
#include "runtime/config/pattern.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"

namespace trivet::cli::snippet {
namespace {

using config::in_quotes;
using config::Route;
using config::Slice;

constexpr std::string_view attached = "spawned";

base::Error error(std::string message) { return {base::ErrorCode::config_invalid, std::move(message)}; }

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& each : texts) all += (all.empty() ? "" : ", ") + config::one_line(each);
  return all;
}

std::string named(const Route& route) {
  return in_quotes(route.name) + " (" + config::one_line(route.place.file) + ":" +
         std::to_string(route.place.line) + ")";
}

bool has(const std::vector<std::string>& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

/// Its configuration could need quoting for others than these, and no server's would be the same.
bool is_plain_path(std::string_view path) {
  return std::all_of(path.begin(), path.end(), [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
           std::string_view("/._-+@=,").find(each) != std::string_view::npos;
  });
}

class Looking {
 public:
  Looking(const config::Config& config, const Wish& wish, const Abilities& abilities)
      : config_(config), abilities_(abilities) {
    site_.config = &config;
    site_.wish = wish;
  }

  base::Result<Site> run() {
    if (const std::string problem = abilities_.attaches ? attach() : connect(); !problem.empty())
      return error(config::one_line(config_.file) + ": " + problem);
    if (abilities_.asks && !steering_) {
      note(
          "the listener has accept_steering = false: it cannot be asked for verdicts, and nothing that "
          "Trivet "
          "should decide on for the web server is served here");
    }
    for (const Route& route : config_.routes) add(route);
    guard_what_is_behind();
    if (with_hosts_ && site_.wish.host.empty()) {
      note(
          "some routes have `hosts`, and Trivet looks for them in what the client says: --host NAME makes "
          "the "
          "snippet of one virtual host, where the web server says it");
    }
    return std::move(site_);
  }

 private:
  void note(std::string text) { site_.notes.push_back(std::move(text)); }

  std::string attach() {
    listener_ = attached;
    if (!config_.server.attach) {
      return site_.wish.server + " starts `trivet attach`, and [server] has no `attach`: add " +
             "attach = { group = \"www-data\" }, the group of the web server";
    }
    site_.address = config_.server.attach->socket;
    steering_ = config_.server.attach->accept_steering;
    return is_plain_path(site_.address) ? "" : "the path of the attach socket holds an odd character";
  }

  /// How well it fits; 0: not at all.
  [[nodiscard]] int fitness(const config::Listen& listen) const {
    const auto* socket = std::get_if<config::UnixAddress>(&listen.address);
    const bool tcp = std::holds_alternative<config::TcpAddress>(listen.address);
    if (socket != nullptr ? abilities_.tcp_only || !is_plain_path(socket->path) : !tcp) return 0;
    return (listen.accept_steering ? 2 : 0) + (socket != nullptr ? 1 : 0) + 1;
  }

  std::string connect() {
    const config::Listen* best = nullptr;
    std::vector<std::string_view> names;
    for (const config::Listen& each : config_.listen) {
      names.emplace_back(each.name);
      if (!site_.wish.listener.empty() && each.name != site_.wish.listener) continue;
      if (fitness(each) > (best != nullptr ? fitness(*best) : 0)) best = &each;
    }
    const std::string& wanted = site_.wish.listener;
    if (best == nullptr && !wanted.empty() && std::find(names.begin(), names.end(), wanted) == names.end())
      return "there is no listener " + in_quotes(wanted) + ": " + config::did_you_mean(wanted, names);
    if (best == nullptr) {
      return std::string("no [[listen]] ") + (wanted.empty() ? "" : in_quotes(wanted) + " ") + "that " +
             site_.wish.server + " can connect to: add one with address = " +
             (abilities_.tcp_only ? "\"tcp:127.0.0.1:9000\" (it knows no unix sockets)"
                                  : "\"unix:/run/trivet/trivet.sock\" and the web server's group");
    }
    listener_ = best->name;
    steering_ = best->accept_steering;
    if (const auto* socket = std::get_if<config::UnixAddress>(&best->address)) {
      site_.address = socket->path;
    } else {
      const auto& tcp = std::get<config::TcpAddress>(best->address);
      const bool six = tcp.host.find(':') != std::string::npos;
      const std::string host = tcp.host == "0.0.0.0" ? "127.0.0.1" : tcp.host == "::" ? "::1" : tcp.host;
      site_.host = six ? "[" + host + "]" : host;
      site_.port = tcp.port;
    }
    return {};
  }

  void leave_out(const Route& route, const std::string& why) {
    note("the route " + named(route) + " is not in here: " + why);
  }

  void add(const Route& route) {
    if (!route.listen.empty() && !has(route.listen, listener_)) {
      return leave_out(route, "it listens on " + joined(route.listen) + ", this is for " + listener_);
    }
    if (!route.hosts.empty()) {
      with_hosts_ = true;
      if (!site_.wish.host.empty() && !has(route.hosts, site_.wish.host))
        return leave_out(route, "it is for " + joined(route.hosts));
    }
    if (!route.phases.empty() && !abilities_.attaches)
      return leave_out(route, "it has a `phase`, which is for apache-mod_fcgid");
    Entry entry;
    entry.route = &route;
    treat(entry);
    entry.pattern = route.path;
    entry.path = path_rule(entry.pattern);
    if (entry.asks() && !route.methods.empty())
      entry.notes.push_back("all methods but " + joined(route.methods) + " are refused here");
    place(std::move(entry));
  }

  /// What it wants, and what becomes of that here: whatever the web server cannot do is refused.
  void treat(Entry& entry) const {
    const Route& route = *entry.route;
    const bool grants = route.guarded_on(Slice::authorizer);
    std::string problem;
    if (!abilities_.asks) {
      problem = "this server cannot ask for a verdict";
    } else if (!steering_) {
      problem = "the listener has accept_steering = false";
    } else if (!abilities_.can_name(route.name)) {
      problem = "the configuration of this server cannot hold the name of the route";
    } else if (!route.hosts.empty() && site_.wish.host.empty()) {
      problem = "it is for " + joined(route.hosts) + " only: say --host";
    }
    if (route.has_source()) {
      if (route.authorize.empty() || route.guarded_on(Slice::responder)) return;
      if (!grants) {
        entry.notes.emplace_back("`authorize_on` leaves the responder out: nobody is asked");
      } else if (problem.empty()) {
        entry.treatment = Treatment::ask_then_pass;
      } else {
        entry.treatment = Treatment::refuse;
        entry.notes.push_back("its guards are to be asked by the web server: " + problem);
      }
      return;
    }
    entry.treatment = Treatment::refuse;
    if (!grants) {
      entry.notes.emplace_back(route.filter.empty()
                                   ? "it has neither `respond` nor guards for an authorizer"
                                   : "it has no `respond`, and no web server sends FCGI_FILTER");
    } else if (!problem.empty()) {
      entry.notes.push_back("only a verdict could let anybody in: " + problem);
    } else {
      entry.treatment = Treatment::ask;
      if (!config::some_decide(route.authorize))
        entry.notes.emplace_back("its guards are shadows: nobody is let in");
    }
  }

  /// Behind the entries before it, unless it is one of them, or they leave nothing for it.
  void place(Entry entry) {
    for (std::size_t at = 0; at < site_.entries.size(); ++at) {
      Entry& other = site_.entries[at];
      if (!meet(other.pattern, entry.pattern)) continue;
      if (!other.phases.empty() && other.route != entry.route) {
        if (entry.asks() && entry.route->path == other.route->path) {
          if (same_phases(*entry.route, other)) {
            leave_out(*entry.route, "all its requests are taken by " + named(*other.route));
          } else {
            other.phases.push_back(entry.route);
          }
          return;
        }
        entry.treatment = Treatment::refuse;
        entry.notes.push_back("it shares paths with " + named(*other.route) +
                              ", which has `phase`: where both are guards, give them one path");
      }
      if (wants_asking(*entry.route) && other.treatment == Treatment::pass && is_limited(*other.route)) {
        other.treatment = Treatment::refuse;
        other.notes.push_back("what it does not take would reach " + named(*entry.route) +
                              ", whose guards only the web server asks");
      }
      const bool alike = entry.route == other.route ||
                         (entry.treatment == Treatment::pass && other.treatment == Treatment::pass);
      if (covers(other.pattern, entry.pattern)) {
        if (!alike && entry.pattern == entry.route->path)
          leave_out(*entry.route, "all its paths are taken by " + named(*other.route));
        return;
      }
      if (!alike) entry.yields_to.push_back(at);
    }
    if (!entry.route->phases.empty() && entry.phases.empty() && entry.treatment == Treatment::ask)
      entry.phases.push_back(entry.route);
    site_.entries.push_back(std::move(entry));
  }

  /// Servers serve a file, or run a script, for /file/more as well: what no route has of that is the file's.
  /// Where none has any of it, it becomes part of the entry.
  void guard_what_is_behind() {
    for (std::size_t at = 0, routes = site_.entries.size(); at < routes; ++at) {
      const Entry& entry = site_.entries[at];
      if (entry.treatment == Treatment::pass || entry.pattern.ends_with("/**") ||
          entry.pattern.ends_with('/'))
        continue;
      Entry rest = entry;
      rest.pattern += "/**";
      rest.path = path_rule(rest.pattern);
      const Entry* other = nullptr;
      for (const Entry& each : site_.entries) {
        if (&each != &entry && meet(each.pattern, rest.pattern)) other = &each;
      }
      if (other == nullptr) {
        site_.entries[at] = std::move(rest);
        continue;
      }
      if (other->asks() && covers(other->pattern, rest.pattern)) {
        note("what is behind " + config::one_line(entry.pattern) + ", as in " +
             config::one_line(entry.pattern) + "/more, is for " + named(*other->route) +
             " to decide: end the path of " + named(*entry.route) + " in /** where that is not meant");
      }
      rest.yields_to.clear();
      place(std::move(rest));
    }
  }

  static bool meet(std::string_view left, std::string_view right) {
    return config::meet(config::split_pattern(left), config::split_pattern(right));
  }
  static bool covers(std::string_view wide, std::string_view narrow) {
    return config::covers(config::split_pattern(wide), config::split_pattern(narrow));
  }

  /// Passed on without being asked for, it would be answered.
  static bool wants_asking(const Route& route) {
    return route.has_source() && !route.authorize.empty() && !route.guarded_on(Slice::responder) &&
           route.guarded_on(Slice::authorizer);
  }

  /// Of some requests for its paths Trivet goes on to the routes behind it.
  [[nodiscard]] bool is_limited(const Route& route) const {
    return !route.methods.empty() || (!route.hosts.empty() && site_.wish.host.empty());
  }

  static bool same_phases(const Route& route, const Entry& entry) {
    return std::any_of(entry.phases.begin(), entry.phases.end(),
                       [&](const Route* each) { return each->phases == route.phases; });
  }

  const config::Config& config_;
  const Abilities& abilities_;
  Site site_;
  std::string listener_;
  bool steering_ = true;
  bool with_hosts_ = false;
};

}  // namespace

bool Site::some(Treatment treatment) const noexcept {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const Entry& each) { return each.treatment == treatment; });
}

bool Site::some_ask() const noexcept { return some(Treatment::ask) || some(Treatment::ask_then_pass); }

std::vector<std::string> Site::variables() const {
  std::vector<std::string> all;
  for (const Entry& entry : entries) {
    if (!entry.asks()) continue;
    for (const std::string& each : entry.route->variables) {
      if (!has(all, each)) all.push_back(each);
    }
  }
  return all;
}

base::Result<Site> look_at(const config::Config& config, const Wish& wish, const Abilities& abilities) {
  return Looking(config, wish, abilities).run();
}

std::string heading(const Site& site, const std::vector<std::string>& lines) {
  std::string text = "# Made by `trivet snippet " + site.wish.server + "` " + std::string(base::version) +
                     " from " + config::one_line(site.config->file) +
                     ". Make it again when the routes change.\n";
  for (const std::string& each : lines) text += each.empty() ? "#\n" : "# " + each + "\n";
  for (const std::string& each : site.notes) text += "# Note: " + each + ".\n";
  return text;
}

std::string in_words(Treatment treatment, std::string_view allowed) {
  switch (treatment) {
    case Treatment::pass:
      return "Trivet answers";
    case Treatment::ask:
      return std::string(allowed) + " what Trivet allows";
    case Treatment::ask_then_pass:
      return "Trivet is asked, and then answers";
    case Treatment::refuse:
      break;
  }
  return "refused";
}

std::string comment(const Entry& entry, std::string_view indent, std::string_view what) {
  std::string text = std::string(indent) + "# " + named(*entry.route) + ", " +
                     config::one_line(entry.route->path) + ": " + std::string(what) + "\n";
  for (const std::string& each : entry.notes) text += std::string(indent) + "#   " + each + ".\n";
  return text;
}

std::string header_of(std::string_view variable) {
  std::string name;
  bool first = true;
  for (const char each : variable) {
    const bool capital = each >= 'A' && each <= 'Z';
    name += each == '_' ? '-' : capital && !first ? static_cast<char>(each + 32) : each;
    first = each == '_';
  }
  return name;
}

std::vector<std::string> other_headers_of(std::string_view variable, std::string_view marks) {
  constexpr std::size_t most = 256;
  const std::string name = header_of(variable);
  std::vector<std::string> names = {std::string()};
  for (const char each : name) {
    std::vector<std::string> longer;
    for (const std::string& begin : names) {
      longer.push_back(begin + each);
      if (each != '-') continue;
      for (const char mark : marks) longer.push_back(begin + mark);
    }
    names = std::move(longer);
    if (names.size() > most) {
      std::string with_underscores = name;
      std::replace(with_underscores.begin(), with_underscores.end(), '-', '_');
      return {with_underscores};
    }
  }
  std::erase(names, name);
  return names;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& each : result) {
    if (each >= 'A' && each <= 'Z') each = static_cast<char>(each + 32);
  }
  return result;
}

}  // namespace trivet::cli::snippet
