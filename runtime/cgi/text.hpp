#pragma once

#include <string_view>

namespace trivet::cgi {

[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// ASCII case does not count.
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// A token of RFC 9110, 5.6.2: what header names and methods are made of.
[[nodiscard]] bool is_token(std::string_view text) noexcept;

/// Holds a control byte: below 0x20 but TAB, or 0x7f.
[[nodiscard]] bool has_control(std::string_view text) noexcept;

/// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace trivet::cgi
