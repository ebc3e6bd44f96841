#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace trivet::cgi {

/// The names that the host asks of most requests, those of one length beside each other. Params knows where
/// each is, so none of them is looked up.
inline constexpr std::array<std::string_view, 13> known_params = {
    "FCGI_ROLE",      "HTTP_HOST",       "PATH_INFO",       "REMOTE_ADDR",    "REMOTE_USER",
    "REQUEST_URI",    "SCRIPT_NAME",     "TRIVET_METHOD",   "CONTENT_LENGTH", "REQUEST_METHOD",
    "TRIVET_DIALECT", "SERVER_SOFTWARE", "FCGI_APACHE_ROLE"};

/// One of these: of any other name this does not compile.
struct KnownParam {
  consteval explicit KnownParam(std::string_view name) : number(0) {
    while (known_params.at(number) != name) ++number;
  }
  std::uint8_t number;
};

/// Where in known_params a name of each length would begin, up to one more than the longest.
inline constexpr auto known_params_of_length = [] {
  static_assert(std::ranges::is_sorted(known_params, {}, &std::string_view::size));
  std::array<std::uint8_t, known_params.back().size() + 2> begins{};
  for (std::size_t length = 0; length < begins.size(); ++length) {
    while (begins[length] != known_params.size() && known_params[begins[length]].size() < length)
      ++begins[length];
  }
  return begins;
}();

}  // namespace trivet::cgi
