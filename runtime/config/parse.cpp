#include "runtime/config/parse.hpp"

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <string>

#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

constexpr std::size_t most_key_parts = 16;
constexpr std::size_t most_levels = 64;

Span to_span(const toml::source_region& region, std::uint16_t file) {
  return {region.begin.line, region.begin.column, region.end.line, region.end.column, file};
}

/// Where the first dotted key with too many parts stands, as an offset. Knows just enough TOML to skip
/// strings and comments; where the text is not TOML what it says does not matter, for the library stops
/// there.
class KeyPartCounter {
 public:
  explicit KeyPartCounter(std::string_view text) : text_(text) {}

  std::optional<std::size_t> find() {
    std::size_t parts = 1;
    while (at_ < text_.size()) {
      switch (text_[at_]) {
        case '"':
        case '\'':
          skip_string(text_[at_]);
          continue;
        case '#':
          at_ = std::min(text_.find('\n', at_), text_.size());
          continue;
        case '.':
          if (++parts > most_key_parts) return at_;
          break;
        case '\n':
        case '=':
        case ',':
        case '[':
        case ']':
        case '{':
        case '}':
          parts = 1;
          break;
        default:
          break;
      }
      ++at_;
    }
    return std::nullopt;
  }

 private:
  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool multi_line = text_.substr(at_, 3) == three;
    at_ += multi_line ? 3 : 1;
    while (at_ < text_.size()) {
      if (text_[at_] == '\\' && quote == '"') {
        at_ += 2;
      } else if (multi_line && text_.substr(at_, 3) == three) {
        at_ += 3;
        // Up to two quotes more belong to the text of the string.
        for (int more = 0; more < 2 && at_ < text_.size() && text_[at_] == quote; ++more) ++at_;
        return;
      } else if (!multi_line && (text_[at_] == quote || text_[at_] == '\n')) {
        at_ += text_[at_] == quote ? 1 : 0;
        return;
      } else {
        ++at_;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Span span_at(std::string_view text, std::size_t offset, std::uint16_t file) {
  Span span{1, 1, 1, 0, file};
  for (std::size_t at = 0; at < offset;) {
    if (text[at] == '\n') {
      ++span.line;
      span.column = 0;
    }
    ++span.column;
    at += decode_code_point(text.substr(at, 4)).size;
  }
  span.end_line = span.line;
  span.end_column = span.column + 1;
  return span;
}

bool before(const Span& left, const Span& right) {
  return std::tie(left.line, left.column) < std::tie(right.line, right.column);
}

/// Our tree from the library's.
class Converter {
 public:
  Converter(Sink& sink, std::uint16_t file) : sink_(sink), file_(file) {}

  Table convert(const toml::table& table) {
    Table result;
    result.reserve(table.size());
    for (const auto& [key, value] : table) {
      result.push_back({std::string(key.str()), to_span(key.source(), file_), convert(value)});
    }
    // The library sorts by name.
    std::stable_sort(result.begin(), result.end(), [](const Entry& left, const Entry& right) {
      return before(left.key_span, right.key_span);
    });
    return result;
  }

 private:
  Node convert(const toml::node& node) {
    Node result{Date{}, to_span(node.source(), file_)};
    if (level_ == most_levels) {
      sink_.error(result.span, "nested more than " + std::to_string(most_levels) + " levels deep");
      return result;
    }
    ++level_;
    if (const auto* text = node.as_string()) {
      result.value = text->get();
    } else if (const auto* integer = node.as_integer()) {
      result.value = integer->get();
    } else if (const auto* number = node.as_floating_point()) {
      result.value = number->get();
    } else if (const auto* boolean = node.as_boolean()) {
      result.value = boolean->get();
    } else if (const auto* array = node.as_array()) {
      List list;
      list.reserve(array->size());
      for (const toml::node& each : *array) list.push_back(convert(each));
      result.value = std::move(list);
    } else if (const auto* table = node.as_table()) {
      result.value = convert(*table);
    }
    --level_;
    return result;
  }

  Sink& sink_;
  const std::uint16_t file_;
  std::size_t level_ = 0;
};

/// Whether a place is behind the last character of its line.
bool is_line_end(std::string_view text, const Span& place) {
  for (std::uint32_t line = 1; line < place.line; ++line) text.remove_prefix(text.find('\n') + 1);
  text = text.substr(0, text.find('\n'));
  std::uint32_t column = 1;
  for (; !text.empty() && text != "\r"; ++column) text.remove_prefix(decode_code_point(text).size);
  return place.column >= column;
}

void report(const toml::parse_error& error, std::string_view text, Sink& sink, std::uint16_t file) {
  const Span place = to_span(error.source(), file);
  std::string what = one_line(error.description());
  constexpr std::string_view boilerplate = "Error while parsing ";
  if (what.starts_with(boilerplate)) what.erase(0, boilerplate.size());
  std::string hint;
  if (what.find("cannot redefine") != std::string::npos) hint = "the same name stands further up";
  if (what.find("could not determine value type") != std::string::npos)
    hint = "a text stands in double quotes";
  if (what.starts_with("string: unescaped control") && is_line_end(text, place)) {
    what = "the line ends within a text";
    hint = "the closing quote is missing";
  }
  sink.error(place, "not valid TOML: " + what, std::move(hint));
}

}  // namespace

std::optional<Table> parse_toml(std::string_view text, Sink& sink, std::uint16_t file) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (const auto at = find_invalid_utf8(text)) {
    sink.error(span_at(text, *at, file), "this byte is not UTF-8", "save the file with the encoding UTF-8");
    return std::nullopt;
  }
  if (const auto at = KeyPartCounter(text).find()) {
    sink.error(span_at(text, *at, file), "a key of more than " + std::to_string(most_key_parts) + " parts");
    return std::nullopt;
  }
  try {
    return Converter(sink, file).convert(toml::parse(text, std::string_view()));
  } catch (const toml::parse_error& error) {
    report(error, text, sink, file);
  }
  return std::nullopt;
}

}  // namespace trivet::config
