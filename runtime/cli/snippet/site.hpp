#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/cli/snippet/path_rule.hpp"
#include "runtime/cli/snippet/quoting.hpp"
#include "runtime/config/config.hpp"

/// What a web server has to know about the routes of a configuration, whatever its own language is.
namespace trivet::cli::snippet {

/// What the web server does with a request that an entry takes.
enum class Treatment : std::uint8_t {
  pass,           ///< Passes it on as RESPONDER: Trivet finds the route and asks its guards itself.
  ask,            ///< Asks for a verdict; what it allows, the web server serves.
  ask_then_pass,  ///< Both, for a route that wants its guards asked by the web server (`authorize_on`).
  refuse,         ///< 403: what it should do, this server cannot do or cannot say.
};

/// A route as the web server sees it.
struct Entry {
  const config::Route* route = nullptr;
  Treatment treatment = Treatment::pass;
  /// The route's path, or that and all below it, or, in an entry behind all routes, what no other has of
  /// that.
  std::string pattern = {};
  PathRule path = {};  ///< Of the pattern.
  /// Earlier entries that have paths in common with this one, of which it is not the same to take them: they
  /// go first. Numbers of Site::entries, in order.
  std::vector<std::size_t> yields_to = {};
  /// Routes with `phase` on one path: the route and those behind it, which are told apart by their phases.
  std::vector<const config::Route*> phases = {};
  std::vector<std::string> notes = {};  ///< For whoever reads the configuration; one line each.

  [[nodiscard]] bool asks() const noexcept {
    return treatment == Treatment::ask || treatment == Treatment::ask_then_pass;
  }
};

/// What a server can do, and which names its configuration can hold.
struct Abilities {
  bool asks = true;       ///< An authorizer, in whatever role.
  bool tcp_only = false;  ///< To ask one.
  bool attaches = false;  ///< It is answered by `trivet attach`, not by a listener that it connects to.
  std::function<bool(std::string_view)> can_name;  ///< The text of a TRIVET_ROUTE.
};

/// What the command line says.
struct Wish {
  std::string server;    ///< As the user calls it.
  std::string host;      ///< The virtual host that it is for; empty: it does not matter, or is not known.
  std::string listener;  ///< By name; empty: the first that fits.
};

struct Site {
  const config::Config* config = nullptr;
  Wish wish;
  std::string address;             ///< unix: the path of the socket; else empty.
  std::string host;                ///< tcp: numeric, IPv6 in brackets.
  std::uint16_t port = 0;          ///< tcp.
  std::vector<Entry> entries;      ///< In file order. None takes only what earlier ones take.
  std::vector<std::string> notes;  ///< About the whole.

  [[nodiscard]] bool is_unix() const noexcept { return !address.empty(); }
  [[nodiscard]] bool some(Treatment treatment) const noexcept;
  [[nodiscard]] bool some_ask() const noexcept;
  /// The variables that guards of entries which ask set, each once, in order.
  [[nodiscard]] std::vector<std::string> variables() const;
};

/// Thread    [any].
/// Lifetime  The configuration outlives the site.
/// Errors    No listener that the server can reach, none by the name that was asked for, or a host that is
/// none.
[[nodiscard]] base::Result<Site> look_at(const config::Config& config, const Wish& wish,
                                         const Abilities& abilities);

/// The first lines: what made it, and what is to be known. `lines` say where it goes.
[[nodiscard]] std::string heading(const Site& site, const std::vector<std::string>& lines);
/// What becomes of a request; `allowed`: of one that Trivet allows, such as "nginx serves".
[[nodiscard]] std::string in_words(Treatment treatment, std::string_view allowed);
/// Name and place of a route as a comment, and what there is to say about it.
[[nodiscard]] std::string comment(const Entry& entry, std::string_view indent, std::string_view what);

/// The header in which an application behind HTTP gets a variable: Remote-User for REMOTE_USER.
[[nodiscard]] std::string header_of(std::string_view variable);
/// Other headers that an application may take for the same, which CGI calls HTTP_REMOTE_USER too: with each
/// of `marks` in place of each `-`. Where those are more than 256, only that with `_`.
[[nodiscard]] std::vector<std::string> other_headers_of(std::string_view variable, std::string_view marks);
/// Its name in small letters.
[[nodiscard]] std::string lower(std::string_view text);

}  // namespace trivet::cli::snippet
