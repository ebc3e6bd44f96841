#include "runtime/config/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace trivet::config {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

bool in(const Range* begin, const Range* end, char32_t value) noexcept {
  const auto* found = std::lower_bound(begin, end, value,
                                       [](const Range& range, char32_t each) { return range.last < each; });
  return found != end && found->first <= value;
}

constexpr std::array combining = {
    Range{0x0300, 0x036F},   Range{0x0483, 0x0489}, Range{0x0591, 0x05BD}, Range{0x0610, 0x061A},
    Range{0x064B, 0x065F},   Range{0x0E34, 0x0E3A}, Range{0x0E47, 0x0E4E}, Range{0x1AB0, 0x1AFF},
    Range{0x1DC0, 0x1DFF},   Range{0x20D0, 0x20FF}, Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F},
    Range{0xE0100, 0xE01EF},
};

constexpr std::array wide = {
    Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0x4DBF},   Range{0x4E00, 0xA4CF},
    Range{0xA960, 0xA97F},   Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},
    Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x1F300, 0x1F64F}, Range{0x1F680, 0x1F6FF},
    Range{0x1F900, 0x1F9FF}, Range{0x20000, 0x3FFFD},
};

/// Not to be sent to a terminal: controls, zero-width marks, line separators, bidirectional overrides.
constexpr std::array hidden = {
    Range{0x00, 0x1F},     Range{0x7F, 0x9F},     Range{0xAD, 0xAD},
    Range{0x061C, 0x061C}, Range{0x200B, 0x200F}, Range{0x2028, 0x202E},
    Range{0x2060, 0x206F}, Range{0xFEFF, 0xFEFF}, Range{0xFFF9, 0xFFFB},
};

std::string cut(std::string_view text, std::size_t bound, bool escape_quotes) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode_code_point(text.substr(at));
    std::string next = visible(point, text.substr(at, point.size));
    if (escape_quotes && (next == "\"" || next == "\\")) next.insert(0, 1, '\\');
    if (result.size() + next.size() > bound) return result + "...";
    result += next;
    at += point.size;
  }
  return result;
}

}  // namespace

CodePoint decode_code_point(std::string_view text) noexcept {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned lead = byte(0);
  const CodePoint broken{lead, 1, false};
  if (lead < 0x80U) return {lead, 1, true};
  const std::size_t size = lead >= 0xF0U ? 4 : lead >= 0xE0U ? 3 : 2;
  if (lead < 0xC2U || lead > 0xF4U || text.size() < size) return broken;
  char32_t value = lead & (0x7FU >> size);
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xC0U) != 0x80U) return broken;
    value = value << 6U | (byte(at) & 0x3FU);
  }
  const char32_t least = size == 4 ? 0x10000 : size == 3 ? 0x800 : 0x80;
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return broken;
  return {value, size, true};
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode_code_point(text.substr(at, 4));
    if (!point.valid) return at;
    at += point.size;
  }
  return std::nullopt;
}

unsigned display_width(char32_t code_point) noexcept {
  if (code_point < 0x300) return 1;
  if (in(combining.data(), combining.data() + combining.size(), code_point)) return 0;
  return in(wide.data(), wide.data() + wide.size(), code_point) ? 2 : 1;
}

std::string visible(const CodePoint& point, std::string_view bytes) {
  if (point.valid && !in(hidden.data(), hidden.data() + hidden.size(), point.value))
    return std::string(bytes);
  if (point.valid && point.value == '\t') return "\\t";
  if (point.valid && point.value == '\n') return "\\n";
  if (point.valid && point.value == '\r') return "\\r";
  std::array<char, 16> escape{};
  const bool is_byte = !point.valid || point.value < 0x80;
  std::snprintf(escape.data(), escape.size(), is_byte ? "\\x%02x" : "\\u%04x",
                static_cast<unsigned>(point.value));
  return escape.data();
}

std::string in_quotes(std::string_view text) { return '"' + cut(text, 100, true) + '"'; }

std::string one_line(std::string_view text) { return cut(text, 400, false); }

bool is_plain_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 200 && std::all_of(name.begin(), name.end(), [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
           each == '_' || each == '-' || each == '.';
  });
}

}  // namespace trivet::config
