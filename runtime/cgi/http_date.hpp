#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trivet::cgi {

/// Seconds since 1970-01-01 00:00:00 UTC, without leap seconds: what time() and a file's st_mtim count.
using UnixSeconds = std::int64_t;

/// A date as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
class HttpDate {
 public:
  /// Years 0 to 9999; anything else gives an empty view.
  explicit HttpDate(UnixSeconds time) noexcept;
  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 29> text_{};
  std::size_t size_ = 0;
};

/// Reads any of the three forms (RFC 9110, 5.6.7): the one above, `Sunday, 06-Nov-94 08:49:37 GMT` and
/// `Sun Nov  6 08:49:37 1994`. `now` says which century two digits are in: never more than 50 years ahead.
/// Nothing where it is none of them, or no day of the calendar.
[[nodiscard]] std::optional<UnixSeconds> parse_http_date(std::string_view text, UnixSeconds now) noexcept;

}  // namespace trivet::cgi
