#include "runtime/log/line_builder.hpp"

#include <algorithm>
#include <array>

#include "runtime/log/meaning.hpp"

namespace trivet::log {

namespace {

unsigned byte_at(std::string_view text, std::size_t at) noexcept {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
}

/// How many bytes of well-formed UTF-8 (no surrogates, nothing overlong) stand at `at`, for one character
/// that may be shown; 0: escape the byte.
std::size_t printable_length(std::string_view text, std::size_t at) noexcept {
  const unsigned first = byte_at(text, at);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() - at < length) return 0;
  std::uint32_t character = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned next = byte_at(text, at + i);
    if ((next & 0xc0U) != 0x80) return 0;
    character = character << 6U | (next & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  if (character < smallest[length] || character > 0x10ffff) return 0;
  if (character >= 0xd800 && character <= 0xdfff) return 0;
  const bool control = character < 0xa0;  // C1: terminals take U+009B for ESC [
  const bool line_end = character == 0x2028 || character == 0x2029;
  const bool turns_direction = character == 0x200e || character == 0x200f || character == 0x061c ||
                               (character >= 0x202a && character <= 0x202e) ||
                               (character >= 0x2066 && character <= 0x2069);
  return control || line_end || turns_direction ? 0 : length;
}

/// How many bytes from `at` on stand for themselves.
std::size_t plain_run(std::string_view text, std::size_t at) noexcept {
  std::size_t end = at;
  while (end < text.size() && meaning_of(text[end]) <= plain) ++end;
  return end - at;
}

bool is_reserved(std::string_view name) noexcept {
  return name == "time" || name == "level" || name == "text" || name == "cut";
}

}  // namespace

std::string_view name_of(Level level) noexcept {
  switch (level) {
    case Level::trace:
      return "trace";
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
    case Level::off:
      break;
  }
  return "off";
}

LineBuilder::LineBuilder(char* room, Settings::Format format, std::string_view time, Level level,
                         std::string_view text) noexcept
    : LineBuilder(room, format, 0) {
  const std::string_view name = name_of(level);
  if (json_) {
    put("{");
    if (!time.empty()) {
      put("\"time\":\"");
      put(time);
      put("\",");
    }
    put("\"level\":\"");
    put(name);
    put("\"");
    put_json_begin("text");
    if (cut_) return;
    put_escaped(text);
    put_end("\"");
  } else {
    if (!time.empty()) {
      put(time);
      put(" ");
    }
    put(name);
    put(std::string_view("      ").substr(name.size()));  // texts start in one column
    put_escaped(text);
  }
}

void LineBuilder::field(std::string_view name, std::string_view value) noexcept {
  if (json_) {
    std::array<char, 16> renamed{};
    if (is_reserved(name)) {
      renamed[name.copy(renamed.data(), renamed.size())] = '_';
      name = {renamed.data(), name.size() + 1};
    }
    put_json_begin(name);
  } else {
    put(" ");
    put_escaped(name);
    put("=");
  }
  put_value(value);
}

char* LineBuilder::put_special(char* at, std::string_view value) noexcept {
  end_ = at;
  put_value(value);
  return end_;
}

template <bool json>
char* LineBuilder::put_text(char* at, std::string_view value) noexcept {
  const unsigned meaning = meaning_of(value);
  if (meaning > plain) return put_special(at, value);
  const bool quoted = !json && meaning != bare;
  if (quoted) *at++ = '"';
  at = copied(at, value);
  if (json || quoted) *at++ = '"';
  return at;
}
template char* LineBuilder::put_text<true>(char* at, std::string_view value) noexcept;
template char* LineBuilder::put_text<false>(char* at, std::string_view value) noexcept;

void LineBuilder::put_value(std::string_view value) noexcept {
  if (cut_) return;
  const unsigned meaning = value.empty() ? unsigned{plain} : meaning_of(value);
  const bool quoted = json_ || meaning != bare;
  if (meaning > plain || value.size() + 2 > room()) {
    if (quoted && !json_) put("\"");
    const bool opened = json_ || (quoted && !cut_);
    put_escaped(value);
    if (opened) put_end("\"");
    return;
  }
  if (quoted && !json_) *end_++ = '"';
  put_end(value);
  if (quoted) *end_++ = '"';
}

void LineBuilder::put(std::string_view piece) noexcept {
  if (piece.size() > room()) {
    cut();
    return;
  }
  put_end(piece);
}

void LineBuilder::put_escaped(std::string_view value) noexcept {
  for (std::size_t at = 0; at < value.size() && !cut_;) {
    if (const std::size_t plain = plain_run(value, at); plain != 0) {
      const std::size_t fitting = std::min(plain, room());
      put(value.substr(at, fitting));
      at += fitting;
      if (fitting < plain) cut();
      continue;
    }
    const std::size_t length = printable_length(value, at);
    if (length == 0) {
      constexpr std::string_view digits = "0123456789abcdef";
      const unsigned byte = byte_at(value, at);
      // In JSON the backslash is a character of the string, and so is itself escaped.
      const std::array<char, 5> escape = {'\\', '\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
      const std::string_view whole(escape.data(), escape.size());
      put(json_ ? whole : whole.substr(1));
      ++at;
      continue;
    }
    if (value[at] == '"') {
      put("\\\"");
    } else if (value[at] == '\\') {
      put("\\\\");
    } else {
      put(value.substr(at, length));
    }
    at += length;
  }
}

void LineBuilder::put_json_begin(std::string_view name) noexcept {
  // All together, so that no member is left half written.
  char* const before = end_;
  put(",\"");
  put_escaped(name);
  put("\":\"");
  if (cut_) end_ = before;
}

}  // namespace trivet::log
