#include "runtime/config/sink.hpp"

#include <algorithm>
#include <tuple>

#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

void Sink::hide(std::string value, std::string instead) {
  // Shorter ones stand in every text by chance.
  constexpr std::size_t shortest = 3;
  if (value.size() < shortest || value == instead) return;
  hidden_.push_back({std::move(value), std::move(instead)});
  // A text that holds a value is replaced before the value in it is.
  std::stable_sort(hidden_.begin(), hidden_.end(), [](const Hidden& left, const Hidden& right) {
    return left.value.size() > right.value.size();
  });
}

/// Messages show a value as in_quotes() or one_line() wrote it, which escape and cut.
std::string Sink::without_hidden(std::string text) const {
  for (const Hidden& each : hidden_) {
    replace_all(text, in_quotes(each.value), in_quotes(each.instead));
    replace_all(text, one_line(each.value), one_line(each.instead));
  }
  return text;
}

std::string Sink::where(const Span& span, std::uint16_t from) const {
  const std::string line = std::to_string(span.line);
  return span.file == from ? "line " + line : one_line(files_[span.file]) + ":" + line;
}

void Sink::add(Diagnostic::Severity severity, const Span& span, std::string message, std::string hint) {
  const std::uint32_t end = span.end_line == span.line ? span.end_column : 0;
  diagnostics_.push_back(
      {span.file,
       {severity, place(span), end, without_hidden(std::move(message)), without_hidden(std::move(hint))}});
}

std::vector<Diagnostic> Sink::take() {
  std::stable_sort(diagnostics_.begin(), diagnostics_.end(), [](const Told& left, const Told& right) {
    return std::tie(left.file, left.diagnostic.place.line, left.diagnostic.place.column) <
           std::tie(right.file, right.diagnostic.place.line, right.diagnostic.place.column);
  });
  std::vector<Diagnostic> all;
  all.reserve(diagnostics_.size());
  for (Told& each : diagnostics_) all.push_back(std::move(each.diagnostic));
  diagnostics_.clear();
  return all;
}

}  // namespace trivet::config
