#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trivet::config {

/// One code point, or one byte that is not UTF-8.
struct CodePoint {
  char32_t value = 0;    ///< The byte itself where `valid` is false.
  std::size_t size = 1;  ///< Bytes.
  bool valid = false;
};

/// The code point at the start of `text`, which is not empty. Overlong forms and surrogates are not UTF-8.
[[nodiscard]] CodePoint decode_code_point(std::string_view text) noexcept;

/// Where the first byte stands that is not UTF-8.
[[nodiscard]] std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept;

/// How many columns a terminal gives a code point: 0 for combining marks, 2 for wide East Asian characters
/// and emoji.
[[nodiscard]] unsigned display_width(char32_t code_point) noexcept;

/// What a terminal may be sent in place of `point`: controls, marks that turn the direction of writing and
/// bytes that are not UTF-8 become escapes such as \x1b and \u202e, so that no file can rewrite what an
/// operator sees. Tabs too.
[[nodiscard]] std::string visible(const CodePoint& point, std::string_view bytes);

/// `text` in double quotes for a message: made visible, cut at 100 bytes.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// The same without quotes and cut at 400 bytes: for texts of a library.
[[nodiscard]] std::string one_line(std::string_view text);

/// Letters, digits, `_`, `-` and `.`, at most 200: what names a plugin or a zone.
[[nodiscard]] bool is_plain_name(std::string_view name) noexcept;

}  // namespace trivet::config
