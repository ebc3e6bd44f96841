#include <algorithm>
#include <cstddef>

#include "runtime/config/load.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

constexpr std::size_t widest_excerpt = 120;  ///< Columns.
constexpr std::size_t columns_before = 60;   ///< Kept before the caret where a line is cut.

/// Finds lines; from the last one on, so that many diagnostics in file order cost one pass.
class LineFinder {
 public:
  explicit LineFinder(std::string_view text) : text_(text) {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
    rest_ = text_;
  }

  std::string_view find(std::uint32_t line) {
    if (line < line_) {
      line_ = 1;
      rest_ = text_;
    }
    for (; line_ < line; ++line_) {
      const std::size_t end = rest_.find('\n');
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    }
    std::string_view found = rest_.substr(0, rest_.find('\n'));
    if (found.ends_with('\r')) found.remove_suffix(1);
    return found;
  }

 private:
  std::string_view text_;
  std::string_view rest_;
  std::uint32_t line_ = 1;
};

/// The part of a line that is shown, and the carets under it.
class Excerpt {
 public:
  Excerpt(std::string_view line, std::uint32_t begin, std::uint32_t end)
      : line_(line), begin_(begin), end_(end) {
    skip_to_window();
    while (at_ < line_.size()) {
      if (width_ >= widest_excerpt) {
        shown_ += "...";
        break;
      }
      add(next());
    }
    // At the end of the line, where something is missing.
    if (column_ <= begin_) carets_ += '^';
    carets_.erase(carets_.find_last_not_of(" \t") + 1);
  }

  [[nodiscard]] const std::string& shown() const noexcept { return shown_; }
  [[nodiscard]] const std::string& carets() const noexcept { return carets_; }

 private:
  CodePoint next() {
    const CodePoint point = decode_code_point(line_.substr(at_, 4));
    at_ += point.size;
    return point;
  }

  void skip_to_window() {
    if (begin_ <= widest_excerpt - columns_before / 2) return;
    while (column_ + columns_before < begin_ && at_ < line_.size()) {
      next();
      ++column_;
    }
    shown_ = "...";
    carets_ = "   ";
  }

  void add(const CodePoint& point) {
    const bool marked = column_ == begin_ || (column_ > begin_ && column_ < end_);
    ++column_;
    if (point.valid && point.value == '\t') {
      // As wide as in the line above, for both start in the same column.
      shown_ += '\t';
      carets_ += '\t';
      width_ += 8;
      return;
    }
    const std::string text = visible(point, line_.substr(at_ - point.size, point.size));
    const bool is_escape = text.size() != point.size;
    const std::size_t width = is_escape ? text.size() : display_width(point.value);
    shown_ += text;
    carets_.append(width, marked ? '^' : ' ');
    width_ += width;
  }

  std::string_view line_;
  std::uint32_t begin_;
  std::uint32_t end_;
  std::size_t at_ = 0;
  std::uint32_t column_ = 1;
  std::size_t width_ = 0;
  std::string shown_;
  std::string carets_;
};

std::string plural(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string render(const Diagnostic& diagnostic, LineFinder& lines, bool has_text) {
  const Place& place = diagnostic.place;
  std::string result = one_line(place.file) + ":";
  if (place.line != 0) result += std::to_string(place.line) + ":" + std::to_string(place.column) + ":";
  result += diagnostic.severity == Diagnostic::Severity::error ? " error: " : " warning: ";
  result += diagnostic.message + "\n";
  const std::string number = std::to_string(place.line);
  const std::string margin(std::max<std::size_t>(number.size(), 5) + 1, ' ');
  if (place.line == 0 || !has_text) {
    if (!diagnostic.hint.empty()) result += margin + "= " + diagnostic.hint + "\n";
    return result;
  }
  const Excerpt excerpt(lines.find(place.line), place.column, diagnostic.end_column);
  result += margin.substr(number.size() + 1) + number + " | " + excerpt.shown() + "\n";
  result += margin + "| " + excerpt.carets();
  if (!diagnostic.hint.empty()) result += " " + diagnostic.hint;
  return result + "\n";
}

}  // namespace

std::string render(const Diagnostic& diagnostic, std::string_view text) {
  LineFinder lines(text);
  return render(diagnostic, lines, !text.empty());
}

std::string render_all(const Loaded& loaded) {
  const auto text_of = [&](const Diagnostic& diagnostic) -> const std::string& {
    for (const Source& each : loaded.included) {
      if (each.path == diagnostic.place.file) return each.text;
    }
    return loaded.text;
  };
  const std::string* text = &loaded.text;
  LineFinder lines(*text);
  std::string result;
  std::size_t errors = 0;
  for (const Diagnostic& each : loaded.diagnostics) {
    if (const std::string* own = &text_of(each); own != text) {
      text = own;
      lines = LineFinder(*text);
    }
    result += render(each, lines, !text->empty());
    errors += each.severity == Diagnostic::Severity::error ? 1 : 0;
  }
  const std::size_t warnings = loaded.diagnostics.size() - errors;
  return result + plural(errors, "error") + ", " + plural(warnings, "warning") + "\n";
}

}  // namespace trivet::config
