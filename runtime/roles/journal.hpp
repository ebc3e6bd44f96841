#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/cgi/params.hpp"
#include "runtime/log/access_log.hpp"

namespace trivet::roles {

/// What the log may say of requests: [log] of the configuration.
///
/// Lifetime  Outlives every request.
struct Journal {
  log::AccessLog* access = nullptr;    ///< Where each request gets a line of its own; null: nowhere.
  std::vector<cgi::ParamName> redact;  ///< Parameters whose values no line may show.
  std::string request_id;  ///< The parameter that names a request; empty: the host makes the name.
};

/// `text` without the values of the parameters in `names`, nor what follows their first space (the
/// credentials after an authentication scheme): `[redacted]` stands in their place. Values of fewer than 4
/// bytes are in any text by chance and stay.
///
/// Thread    [any] that may read `params`.
/// Lifetime  Of `text`, or of `scratch` when something was found.
[[nodiscard]] std::string_view redacted(const cgi::Params& params, const std::vector<cgi::ParamName>& names,
                                        std::string_view text, std::string& scratch);

/// The same of several texts. `scratch` comes empty, and stays so where nothing was found.
void redact(const cgi::Params& params, const std::vector<cgi::ParamName>& names,
            std::span<std::string_view> texts, std::vector<std::string>& scratch);

/// All parameters as `NAME=VALUE NAME=VALUE`, redacted.
[[nodiscard]] std::string listed(const cgi::Params& params, const std::vector<cgi::ParamName>& names);

/// Whether a web server's text can name a request: 1 to 128 letters, digits and -._~:/+=@
[[nodiscard]] bool names_request(std::string_view text) noexcept;
inline constexpr std::size_t longest_request_id = 128;

}  // namespace trivet::roles
