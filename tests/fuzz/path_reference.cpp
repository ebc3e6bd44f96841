#include "tests/fuzz/path_reference.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace trivet::fuzz {
namespace {

bool is_escape(std::string_view text, std::size_t at) {
  return at + 2 < text.size() && text[at] == '%' &&
         std::isxdigit(static_cast<unsigned char>(text[at + 1])) != 0 &&
         std::isxdigit(static_cast<unsigned char>(text[at + 2])) != 0;
}

/// Decodes every escape once; what is no escape stays, and is counted.
std::string decode_once(std::string_view text, std::size_t& broken) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_escape(text, at)) {
      decoded += static_cast<char>(std::stoi(std::string(text.substr(at + 1, 2)), nullptr, 16));
      at += 2;
    } else {
      if (text[at] == '%') ++broken;
      decoded += text[at];
    }
  }
  return decoded;
}

/// '.', '/' and '\\' are one byte each; these are longer forms of the same bits.
constexpr std::string_view overlong[] = {"\xc0\xae",         "\xc0\xaf",         "\xc1\x9c",
                                         "\xe0\x80\xae",     "\xe0\x80\xaf",     "\xe0\x81\x9c",
                                         "\xf0\x80\x80\xae", "\xf0\x80\x80\xaf", "\xf0\x80\x81\x9c"};

bool has_dot_segment_as_it_is(std::string text) {
  std::replace(text.begin(), text.end(), '\\', '/');
  for (const std::string& piece : split(text, '/')) {
    const std::string name = piece.substr(0, piece.find(';'));
    if (name == "." || name == "..") return true;
  }
  // No UTF-8, but some decoders take it for one.
  return std::any_of(std::begin(overlong), std::end(overlong),
                     [&](std::string_view form) { return text.find(form) != std::string::npos; });
}

/// However often somebody may decode it, in whatever way.
bool has_dot_segment(std::string text) {
  for (;;) {
    if (has_dot_segment_as_it_is(text)) return true;
    std::size_t broken = 0;
    std::string next = decode_once(text, broken);
    if (next == text) return false;
    text = std::move(next);
  }
}

/// RFC 3629, 4, alternative by alternative.
bool is_utf8(std::string_view text) {
  const auto in = [&](std::size_t at, unsigned low, unsigned high) {
    return at < text.size() && static_cast<unsigned char>(text[at]) >= low &&
           static_cast<unsigned char>(text[at]) <= high;
  };
  const auto tail = [&](std::size_t at) { return in(at, 0x80, 0xbf); };
  for (std::size_t at = 0; at < text.size();) {
    if (in(at, 0x00, 0x7f)) {
      at += 1;
    } else if (in(at, 0xc2, 0xdf) && tail(at + 1)) {
      at += 2;
    } else if (((in(at, 0xe0, 0xe0) && in(at + 1, 0xa0, 0xbf)) || (in(at, 0xe1, 0xec) && tail(at + 1)) ||
                (in(at, 0xed, 0xed) && in(at + 1, 0x80, 0x9f)) || (in(at, 0xee, 0xef) && tail(at + 1))) &&
               tail(at + 2)) {
      at += 3;
    } else if (((in(at, 0xf0, 0xf0) && in(at + 1, 0x90, 0xbf)) || (in(at, 0xf1, 0xf3) && tail(at + 1)) ||
                (in(at, 0xf4, 0xf4) && in(at + 1, 0x80, 0x8f))) &&
               tail(at + 2) && tail(at + 3)) {
      at += 4;
    } else {
      return false;
    }
  }
  return true;
}

/// The path of a request target, or nothing.
std::optional<std::string> path_of(std::string target) {
  target = target.substr(0, target.find('?'));
  target = target.substr(0, target.find('#'));
  if (target.starts_with("/")) return target;
  const std::size_t authority = target.find("://");
  if (authority == std::string::npos || authority == 0) return std::nullopt;
  const bool is_scheme =
      std::all_of(target.begin(), target.begin() + static_cast<std::ptrdiff_t>(authority), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
      });
  if (!is_scheme) return std::nullopt;
  const std::size_t slash = target.find('/', authority + 3);
  return slash == std::string::npos ? "/" : target.substr(slash);
}

bool segment_matches(std::string_view pattern, std::string_view segment) {
  // Row by row: which beginnings of the segment the pattern so far stands for.
  std::vector<bool> fits(segment.size() + 1, false);
  fits[0] = true;
  for (const char c : pattern) {
    std::vector<bool> next(segment.size() + 1, false);
    for (std::size_t i = 0; i <= segment.size(); ++i) {
      if (c == '*') {
        next[i] = fits[i] || (i > 0 && next[i - 1]);
      } else {
        next[i] = i > 0 && fits[i - 1] && segment[i - 1] == c;
      }
    }
    fits = std::move(next);
  }
  return fits[segment.size()];
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> pieces(1);
  for (const char c : text) {
    if (c == separator) {
      pieces.emplace_back();
    } else {
      pieces.back() += c;
    }
  }
  return pieces;
}

ReferencePath reference_path(std::string_view text, bool is_uri) {
  ReferencePath result;
  const std::optional<std::string> path = is_uri ? path_of(std::string(text)) : std::string(text);
  if (!path || !path->starts_with("/")) return result;
  result.segments = split(std::string_view(*path).substr(1), '/');
  std::size_t broken = 0;
  for (std::string& segment : result.segments) {
    if (is_uri) segment = decode_once(segment, broken);
    if (has_dot_segment(segment)) return result;
    for (const char c : segment) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || byte == 0x7f || byte == '\\') return result;
    }
    if (!is_utf8(segment)) result.odd = true;
    if (segment.empty() && &segment != &result.segments.back()) result.odd = true;
  }
  result.refused = broken != 0;
  return result;
}

bool reference_matches(std::string_view pattern, const std::vector<std::string>& segments) {
  if (pattern.starts_with("/")) pattern.remove_prefix(1);
  // As segment_matches(), with `**` for the star.
  std::vector<bool> fits(segments.size() + 1, false);
  fits[0] = true;
  for (const std::string& wanted : split(pattern, '/')) {
    std::vector<bool> next(segments.size() + 1, false);
    for (std::size_t i = 0; i <= segments.size(); ++i) {
      if (wanted == "**") {
        next[i] = fits[i] || (i > 0 && next[i - 1]);
      } else {
        next[i] = i > 0 && fits[i - 1] && segment_matches(wanted, segments[i - 1]);
      }
    }
    fits = std::move(next);
  }
  return fits[segments.size()];
}

}  // namespace trivet::fuzz
