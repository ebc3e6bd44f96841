#include "runtime/cli/snippet/quoting.hpp"

namespace trivet::cli::snippet {
namespace {

bool holds(std::string_view text, std::string_view what) { return text.find(what) != std::string_view::npos; }

/// A backslash before each of `special`.
std::string escaped(std::string_view text, std::string_view special) {
  std::string result;
  for (const char each : text) {
    if (special.find(each) != std::string_view::npos) result += '\\';
    result += each;
  }
  return result;
}

std::string between(char quote, std::string_view text) {
  std::string result(1, quote);
  result += text;
  result += quote;
  return result;
}

}  // namespace

Quoted nginx_value(std::string_view text) {
  if (holds(text, "$")) return std::nullopt;
  return nginx_name(text);
}

std::string nginx_name(std::string_view text) { return between('"', escaped(text, "\"\\")); }

Quoted apache_word(std::string_view text) {
  if (holds(text, "${")) return std::nullopt;
  return between('"', escaped(text, "\"\\"));
}

Quoted apache_assignment(std::string_view name, std::string_view value) {
  if (holds(value, "${")) return std::nullopt;
  return apache_word(std::string(name) + "=" + escaped(value, "\\$&"));
}

Quoted lighttpd_text(std::string_view text) {
  if (holds(text, "\\\"") || (!text.empty() && text.back() == '\\')) return std::nullopt;
  return between('"', escaped(text, "\""));
}

Quoted caddy_word(std::string_view text) {
  if (holds(text, "{")) return std::nullopt;
  if (!holds(text, "`")) return between('`', text);
  if (holds(text, "\\")) return std::nullopt;
  return between('"', escaped(text, "\""));
}

std::string haproxy_word(std::string_view text) {
  if (!holds(text, "'")) return between('\'', text);
  return between('"', escaped(text, "\"\\$"));
}

std::string haproxy_format(std::string_view text) {
  std::string doubled;
  for (const char each : text) {
    doubled += each;
    if (each == '%') doubled += '%';
  }
  return haproxy_word(doubled);
}

std::string yaml_text(std::string_view text) { return between('"', escaped(text, "\"\\")); }

}  // namespace trivet::cli::snippet
