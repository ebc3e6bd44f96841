#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/cgi/params.hpp"

namespace trivet::cgi {

/// What the web server's configuration asks for: the TRIVET_* parameters. Views into the Params; empty =
/// absent.
struct Steering {
  std::string_view role;
  std::string_view route;
  std::string_view path;
  std::string_view host;
  std::string_view method;
  std::string_view dialect;
  bool any = false;  ///< Some TRIVET_* parameter is there, known or not.
  /// The name of one that is there without a value: a variable of the web server that was not set. Not the
  /// same as absent, or what it should have chosen would be chosen by the path.
  std::string_view empty;
  std::string_view unknown;  ///< The name of a TRIVET_* parameter that does not exist, if there is one.
};

[[nodiscard]] Steering read_steering(const Params& params) noexcept;

/// The host a route's `hosts` is matched against: TRIVET_HOST, else HTTP_HOST; lower case is done by
/// matching, the port and a final dot are cut here. Brackets of IPv6 are kept.
[[nodiscard]] std::string_view host_for_matching(std::string_view host) noexcept;

/// ASCII case-insensitive equality; `lower` is lower case already.
[[nodiscard]] bool equals_lower(std::string_view text, std::string_view lower) noexcept;

/// An HTTP method: a token of RFC 9110, 5.6.2, at most 32 characters.
[[nodiscard]] bool is_method(std::string_view text) noexcept;

}  // namespace trivet::cgi
