#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace trivet::cgi {

/// The names that the host asks of most requests, those of one length beside each other. Params knows where
/// each is, so none of them is looked up.
inline constexpr std::array<std::string_view, 17> known_params = {
    "FCGI_ROLE",        "HTTP_HOST",         "PATH_INFO",      "HTTP_COOKIE",    "REMOTE_ADDR",
    "REMOTE_USER",      "REQUEST_URI",       "SCRIPT_NAME",    "AUTH_PASSWORD",  "REMOTE_PASSWD",
    "TRIVET_METHOD",    "CONTENT_LENGTH",    "REQUEST_METHOD", "TRIVET_DIALECT", "SERVER_SOFTWARE",
    "FCGI_APACHE_ROLE", "HTTP_AUTHORIZATION"};

/// One of these: of any other name this does not compile.
struct KnownParam {
  consteval explicit KnownParam(std::string_view name) : number(0) {
    while (known_params.at(number) != name) ++number;
  }
  std::uint8_t number;

 private:
  friend class ParamName;
  explicit KnownParam(std::size_t place) noexcept : number(static_cast<std::uint8_t>(place)) {}
};

/// A name of which only the configuration tells, for what is asked of many requests: whether it is one of
/// known_params is found out once.
class ParamName {
 public:
  explicit ParamName(std::string name) : text_(std::move(name)) {
    const auto* const found = std::ranges::find(known_params, text_);
    if (found != known_params.end())
      known_ = KnownParam(static_cast<std::size_t>(found - known_params.begin()));
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] std::optional<KnownParam> known() const noexcept { return known_; }

 private:
  std::string text_;
  std::optional<KnownParam> known_;
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
