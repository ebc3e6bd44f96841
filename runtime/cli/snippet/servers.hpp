#pragma once

#include <array>
#include <string>
#include <string_view>

#include "runtime/cli/snippet/site.hpp"

namespace trivet::cli::snippet {

/// A web server that there are snippets for.
struct WebServer {
  std::string_view name;
  std::string_view about;  ///< For `trivet snippet --help`.
  Abilities (*abilities)();
  /// The whole text. Thread [any]; it reads nothing but the site.
  std::string (*write)(const Site& site);
};

/// In the order in which they are told.
[[nodiscard]] const std::array<WebServer, 8>& web_servers();

[[nodiscard]] std::string write_nginx(const Site& site);
[[nodiscard]] std::string write_mod_fcgid(const Site& site);
[[nodiscard]] std::string write_authnz(const Site& site);
[[nodiscard]] std::string write_proxy(const Site& site);
[[nodiscard]] std::string write_lighttpd(const Site& site);
[[nodiscard]] std::string write_caddy(const Site& site);
[[nodiscard]] std::string write_haproxy(const Site& site);
[[nodiscard]] std::string write_h2o(const Site& site);

}  // namespace trivet::cli::snippet
