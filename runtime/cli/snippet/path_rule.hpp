#pragma once

#include <string>
#include <string_view>

namespace trivet::cli::snippet {

/// The `path` of a route in the forms that web servers know.
///
/// Thread    [any].
/// Lifetime  A value.
struct PathRule {
  enum class Shape : std::uint8_t {
    everything,  ///< "/**"
    below,       ///< "/docs/**": the folder itself, with and without its slash, and all that is in it
    exact,       ///< "/login"
    pattern,     ///< any other: only a regular expression says it
  };
  Shape shape = Shape::everything;
  /// below: the folder; exact: the path; pattern: the last folder that all of it is in. Without a slash at
  /// its end; of a folder that is the root it is empty.
  std::string literal;
};
[[nodiscard]] PathRule path_rule(std::string_view pattern);

/// Whether no server's configuration takes any character of it for more than itself.
[[nodiscard]] bool is_plain(std::string_view path) noexcept;

/// What a regular expression is matched against: bytes (PCRE as most servers use it), or code points (Go,
/// lighttpd).
enum class RegexUnit : std::uint8_t { byte, code_point };

/// The regular expression, anchored at the beginning, for exactly the decoded paths that the pattern matches.
/// Of what the pattern says itself, all but letters, digits, `_`, `-` and `/` is written as \xNN: so it needs
/// no quoting beyond that of a backslash, wherever it stands, and holds no space, quote, dollar sign or
/// brace. It may match a line end after such a path too, which no guarded path has.
[[nodiscard]] std::string path_regex(std::string_view pattern, RegexUnit unit = RegexUnit::byte);

}  // namespace trivet::cli::snippet
