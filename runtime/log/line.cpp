#include "runtime/log/line.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>

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
  while (end < text.size() && text[end] >= 0x20 && text[end] < 0x7f && text[end] != '"' &&
         text[end] != '\\') {
    ++end;
  }
  return end - at;
}

bool is_bare(std::string_view value) noexcept {
  if (value.empty()) return false;
  for (const char c : value) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && std::string_view("-_.,:/@%+").find(c) == std::string_view::npos) return false;
  }
  return true;
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

Line::Line(Settings::Format format, Time time, Level level, std::string_view text,
           std::initializer_list<Field> fields) noexcept
    : json_(format == Settings::Format::json) {
  assert(fields.size() <= 16);
  switch (format) {
    case Settings::Format::text:
      write_text(time, level, text, fields);
      return;
    case Settings::Format::json:
      write_json(time, level, text, fields);
      return;
  }
}

void Line::write_text(Time time, Level level, std::string_view text,
                      std::initializer_list<Field> fields) noexcept {
  if (time == Time::present) {
    put_time();
    put(" ");
  }
  const std::string_view name = name_of(level);
  put(name);
  put(std::string_view("      ").substr(name.size()));  // texts start in one column
  put_escaped(text);
  for (const Field& field : fields) {
    put(" ");
    put_escaped(field.name);
    put("=");
    put_text_value(field.value);
  }
  if (cut_) put_end(" [cut]");
  put_end("\n");
}

void Line::write_json(Time time, Level level, std::string_view text,
                      std::initializer_list<Field> fields) noexcept {
  put("{");
  if (time == Time::present) {
    put("\"time\":\"");
    put_time();
    put("\",");
  }
  put("\"level\":\"");
  put(name_of(level));
  put("\"");
  put_json_member("text", text);
  for (const Field& field : fields) {
    if (is_reserved(field.name)) {
      std::array<char, 16> renamed{};
      std::memcpy(renamed.data(), field.name.data(), field.name.size());
      renamed[field.name.size()] = '_';
      put_json_member(renamed.data(), field.value);
    } else {
      put_json_member(field.name, field.value);
    }
  }
  if (cut_) put_end(",\"cut\":true");
  put_end("}\n");
}

void Line::put_time() noexcept {
  const auto now = std::chrono::system_clock::now();
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch() % 1000;
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(now));
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 72> written{};  // as long as the compiler thinks that seven ints may get
  const int length = std::snprintf(written.data(), written.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                                   utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                                   utc.tm_sec, static_cast<int>(milliseconds.count()));
  put({written.data(), static_cast<std::size_t>(length)});
}

void Line::put(std::string_view piece) noexcept {
  if (cut_ || piece.size() > room()) {
    cut_ = true;
    return;
  }
  put_end(piece);
}

void Line::put_end(std::string_view piece) noexcept {
  assert(piece.size() <= capacity - size_);
  std::memcpy(bytes_.data() + size_, piece.data(), piece.size());
  size_ += piece.size();
}

void Line::put_escaped(std::string_view value) noexcept {
  for (std::size_t at = 0; at < value.size() && !cut_;) {
    if (const std::size_t plain = plain_run(value, at); plain != 0) {
      const std::size_t fitting = std::min(plain, room());
      put(value.substr(at, fitting));
      at += fitting;
      cut_ = fitting < plain;
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

void Line::put_text_value(std::string_view value) noexcept {
  if (is_bare(value)) {
    put_escaped(value);
    return;
  }
  put("\"");
  const bool opened = !cut_;
  put_escaped(value);
  if (opened) put_end("\"");
}

void Line::put_json_member(std::string_view name, std::string_view value) noexcept {
  // The name and both quotes together, so that no member is left half written.
  const std::size_t before = size_;
  put(",\"");
  put_escaped(name);
  put("\":\"");
  if (cut_) {
    size_ = before;
    return;
  }
  put_escaped(value);
  put_end("\"");
}

}  // namespace trivet::log
