#pragma once

#include <string>
#include <vector>

#include "runtime/cli/snippet/site.hpp"

/// What the three ways of Apache to Trivet have in common.
namespace trivet::cli::snippet {

/// A section of Apache with `inside`. Apache puts sections that fit a request together, the later ones on top
/// of the earlier: so no request fits two of these that say different things. What is not passed on is said
/// once more for the files themselves: a RewriteRule of the server, unless it says PT, leads to a file and
/// leaves the path as it was, which is all that <Location> sees.
[[nodiscard]] std::string apache_section(const Site& site, const Entry& entry, const std::string& inside);

/// Both what is asked here and what the folder requires: `Satisfy Any` would let in who meets one of them.
inline constexpr const char* apache_satisfy =
    "  <IfModule mod_access_compat.c>\n    Satisfy All\n  </IfModule>\n";
inline constexpr const char* apache_refuse =
    "  Require all denied\n  <IfModule mod_access_compat.c>\n    Satisfy All\n  </IfModule>\n";

/// Names the route and the host; SetEnv would come too late, it is looked at after access was decided.
[[nodiscard]] std::string apache_steering(const Site& site, const std::string& name,
                                          const std::string& value);

/// What the guard said, for applications behind HTTP, in place of what the client says there.
[[nodiscard]] std::string apache_variables(const std::vector<std::string>& variables);

/// To Trivet by mod_proxy_fcgi.
[[nodiscard]] std::string apache_pass(const Site& site, const Entry& entry);

/// Whether the configuration can hold the name of a route.
[[nodiscard]] bool apache_can_name(std::string_view name);

}  // namespace trivet::cli::snippet
