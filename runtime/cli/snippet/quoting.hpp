#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Texts as one word of a web server's configuration, quotes included. Nothing where the server has no way to
/// say it. Texts hold no control characters: no configuration of Trivet has any.
namespace trivet::cli::snippet {

using Quoted = std::optional<std::string>;

/// A value; nginx cannot say a dollar sign where variables are allowed.
[[nodiscard]] Quoted nginx_value(std::string_view text);
/// The name of a location, in which there are no variables.
[[nodiscard]] std::string nginx_name(std::string_view text);

/// `${` is a variable of the configuration, wherever it stands.
[[nodiscard]] Quoted apache_word(std::string_view text);
/// An assignment of SetEnvIf, which looks for $1 and backslashes in it once more.
[[nodiscard]] Quoted apache_assignment(std::string_view name, std::string_view value);

/// A backslash stands for itself, unless a quote follows.
[[nodiscard]] Quoted lighttpd_text(std::string_view text);

/// `{` begins a placeholder; quotes of one kind only.
[[nodiscard]] Quoted caddy_word(std::string_view text);

/// A word: between apostrophes everything stands for itself.
[[nodiscard]] std::string haproxy_word(std::string_view text);
/// A value in the language of its logs, in which % begins a variable.
[[nodiscard]] std::string haproxy_format(std::string_view text);

/// A double-quoted scalar.
[[nodiscard]] std::string yaml_text(std::string_view text);

}  // namespace trivet::cli::snippet
