#include "runtime/cgi/request_path.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "runtime/cgi/text.hpp"

namespace trivet::cgi {
namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/// The byte that a percent escape at `at` stands for, or -1.
int escaped_byte(std::string_view text, std::size_t at) noexcept {
  if (text.size() - at < 3 || text[at] != '%') return -1;
  const int high = hex_digit(text[at + 1]);
  const int low = hex_digit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/// Decodes until nothing is left to decode, as everybody behind us together may. Linear: an escape is three
/// bytes, and one is left.
void decode_fully(std::string_view text, std::string& out) {
  out.clear();
  for (const char c : text) {
    out.push_back(c);
    while (out.size() >= 3) {
      const int byte = escaped_byte(out, out.size() - 3);
      if (byte < 0) break;
      out.resize(out.size() - 2);
      out.back() = static_cast<char>(byte);
    }
  }
}

/// Whether "." or ".." stands between slashes of either kind, also where a parameter follows it.
bool has_dot_piece(std::string_view text) noexcept {
  for (;;) {
    const std::size_t end = text.find_first_of("/\\");
    const std::string_view piece = text.substr(0, end);
    const std::string_view name = piece.substr(0, piece.find(';'));
    if (name == "." || name == "..") return true;
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
}

/// '.', '/' or '\' as a UTF-8 sequence longer than it has to be: no UTF-8, but some decoders take it for the
/// byte.
bool has_overlong_special(std::string_view text) noexcept {
  static constexpr std::string_view forms[] = {"\xc0\xae",         "\xc0\xaf",         "\xc1\x9c",
                                               "\xe0\x80\xae",     "\xe0\x80\xaf",     "\xe0\x81\x9c",
                                               "\xf0\x80\x80\xae", "\xf0\x80\x80\xaf", "\xf0\x80\x81\x9c"};
  return std::any_of(std::begin(forms), std::end(forms),
                     [&](std::string_view form) { return text.find(form) != std::string_view::npos; });
}

/// The path of a request target (RFC 9112, 3.2): without scheme and authority, query and fragment.
std::string_view path_of_target(std::string_view target) noexcept {
  target = target.substr(0, target.find_first_of("?#"));
  if (target.empty() || target.front() == '/') return target;
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos || !is_token(target.substr(0, scheme))) return {};
  const std::size_t slash = target.find('/', scheme + 3);
  return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
}

/// One pattern segment against one decoded segment; `*` stands for any characters. Linear: only the last star
/// is ever gone back to.
bool segment_fits(std::string_view pattern, std::string_view segment) noexcept {
  std::size_t p = 0;
  std::size_t s = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (s < segment.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = s;
    } else if (p < pattern.size() && pattern[p] == segment[s]) {
      ++p;
      ++s;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      s = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

enum class Spelling : std::uint8_t {
  plain,   ///< Stands for itself.
  slash,   ///< Ends a segment.
  dot,     ///< Stands for itself, but not where it begins a segment.
  ends,    ///< Ends the path of a URI.
  closer,  ///< Has to be decoded or looked at.
};

constexpr auto spellings = [] {
  std::array<Spelling, 256> table{};
  for (std::size_t byte = 0; byte < table.size(); ++byte) {
    if (byte < 0x20 || byte >= 0x7f) table[byte] = Spelling::closer;
  }
  table['%'] = table['\\'] = Spelling::closer;
  table['/'] = Spelling::slash;
  table['.'] = Spelling::dot;
  table['?'] = table['#'] = Spelling::ends;
  return table;
}();

}  // namespace

std::string_view RequestPath::cut(std::string_view path, Form form) {
  path.remove_prefix(1);
  for (bool more = true; more;) {
    const std::size_t slash = path.find('/');
    const std::string_view raw = path.substr(0, slash);
    more = slash != std::string_view::npos;
    if (more) path.remove_prefix(slash + 1);
    if (more && raw.empty()) odd_ = true;
    const std::size_t begin = text_.size();
    if (form == Form::decoded) {
      text_.append(raw);
    } else {
      for (std::size_t at = 0; at < raw.size();) {
        if (raw[at] != '%') {
          text_.push_back(raw[at++]);
          continue;
        }
        const int byte = escaped_byte(raw, at);
        if (byte < 0) return "a percent sign without two hexadecimal digits";
        text_.push_back(static_cast<char>(byte));
        at += 3;
      }
    }
    ends_.push_back(text_.size());
    if (const auto wrong = judge(std::string_view(text_).substr(begin)); !wrong.empty()) return wrong;
  }
  return {};
}

/// A slash that was encoded is data for routes, but whoever decodes the path elsewhere may cut there: what
/// must not be a segment must not be between such slashes either.
std::string_view RequestPath::judge(std::string_view segment) {
  if (!is_utf8(segment)) odd_ = true;
  if (segment.find('%') != std::string_view::npos) {
    decode_fully(segment, decoded_fully_);
    segment = decoded_fully_;
  }
  if (has_dot_piece(segment)) return "a dot segment";
  if (has_overlong_special(segment)) return "an overlong encoding of a dot, slash or backslash";
  return {};
}

/// Nearly every path: its segments are what they are spelled as, and none is refused. False where it is not
/// so.
inline bool RequestPath::parse_as_spelled(std::string_view text, Form form) {
  if (text.empty() || text.front() != '/') return false;
  const char* const end = text.data() + text.size();
  const auto spelling_of = [](char c) { return spellings[static_cast<std::uint8_t>(c)]; };
  const char* begin = text.data() + 1;
  const char* at = begin;
  bool odd = false;
  for (;; ++at) {
    while (at != end && spelling_of(*at) == Spelling::plain) ++at;
    const bool is_over = at == end || (spelling_of(*at) == Spelling::ends && form == Form::uri);
    if (is_over || spelling_of(*at) == Spelling::slash) {
      segments_.emplace_back(begin, static_cast<std::size_t>(at - begin));
      if (is_over) break;
      odd = odd || at == begin;
      begin = at + 1;
    } else if (spelling_of(*at) == Spelling::closer || (spelling_of(*at) == Spelling::dot && at == begin)) {
      segments_.clear();
      return false;
    }
  }
  size_ = static_cast<std::size_t>(at - text.data());
  odd_ = odd;
  as_spelled_ = true;
  return true;
}

std::string_view RequestPath::parse(std::string_view text, Form form) {
  segments_.clear();
  odd_ = as_spelled_ = false;
  return parse_as_spelled(text, form) ? std::string_view() : parse_closely(text, form);
}

std::string_view RequestPath::parse_closely(std::string_view text, Form form) {
  text_.clear();
  ends_.clear();
  const std::string_view path = form == Form::uri ? path_of_target(text) : text;
  if (path.empty() || path.front() != '/') return "it does not start with a slash";
  if (const std::string_view wrong = cut(path, form); !wrong.empty()) return wrong;
  if (text_.find('\\') != std::string::npos) return "a backslash";
  if (has_control(text_) || text_.find('\t') != std::string::npos) return "a control byte";
  std::size_t begin = 0;
  for (const std::size_t end : ends_) {
    segments_.push_back(std::string_view(text_).substr(begin, end - begin));
    begin = end;
  }
  return {};
}

bool RequestPath::is_spelling_of(std::string_view target, std::string_view script_name,
                                 std::string_view path_info) const noexcept {
  return as_spelled_ && script_name.size() + path_info.size() == size_ &&
         target.substr(0, script_name.size()) == script_name &&
         target.substr(script_name.size(), path_info.size()) == path_info;
}

bool RequestPath::same(const RequestPath& other) const noexcept { return segments_ == other.segments_; }

PathPattern::PathPattern(std::string_view text) : text_(text) {
  if (!text.empty() && text.front() == '/') text.remove_prefix(1);
  for (;;) {
    const std::size_t slash = text.find('/');
    segments_.emplace_back(text.substr(0, slash));
    if (slash == std::string_view::npos) break;
    text.remove_prefix(slash + 1);
  }
}

bool PathPattern::matches_from(const RequestPath& path, std::size_t known) const noexcept {
  const std::vector<std::string_view>& segments = path.segments();
  std::size_t p = known;
  std::size_t s = known;
  std::size_t star = SIZE_MAX;
  std::size_t retry = 0;
  while (s < segments.size()) {
    if (p < segments_.size() && segments_[p] == "**") {
      star = p++;
      retry = s;
      if (p == segments_.size()) return true;
    } else if (p < segments_.size() && segment_fits(segments_[p], segments[s])) {
      ++p;
      ++s;
    } else if (star != SIZE_MAX) {
      p = star + 1;
      s = ++retry;
    } else {
      return false;
    }
  }
  while (p < segments_.size() && segments_[p] == "**") ++p;
  return p == segments_.size();
}

}  // namespace trivet::cgi
