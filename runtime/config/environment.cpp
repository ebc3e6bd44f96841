#include "runtime/config/environment.hpp"

#include <algorithm>
#include <cstdlib>

#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

constexpr std::string_view opening = "${env:";

bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && (name.front() < '0' || name.front() > '9') &&
         std::all_of(name.begin(), name.end(), fits);
}

void fill_in_text(Sink& sink, std::string& text, const Span& span) {
  const std::string written = text;
  std::string filled;
  std::size_t from = 0;
  for (std::size_t at = 0; (at = written.find(opening, from)) != std::string::npos;) {
    const std::size_t end = written.find('}', at);
    const std::string name = written.substr(at + opening.size(), end - at - opening.size());
    if (end == std::string::npos || !is_name(name)) {
      const std::string shown = written.substr(at, end == std::string::npos ? end : end - at + 1);
      sink.error(span, '`' + one_line(shown) + "` names no environment variable",
                 "write ${env:NAME}; NAME is letters, digits and _");
      return;
    }
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr) {
      sink.error(span, "the environment variable `" + name + "` is not set",
                 "set it for whoever runs Trivet");
      return;
    }
    if (find_invalid_utf8(value) || std::string_view(value).find(opening) != std::string_view::npos) {
      sink.error(span, "the environment variable `" + name + "` holds what no text of this file may hold",
                 "UTF-8, without ${env:");
      return;
    }
    filled.append(written, from, at - from).append(value);
    sink.hide(value, written.substr(at, end - at + 1));
    from = end + 1;
  }
  if (from == 0) return;
  filled.append(written, from);
  sink.hide(filled, written);
  text = std::move(filled);
}

}  // namespace

void fill_in_environment(Sink& sink, Node& node) {
  if (auto* text = std::get_if<std::string>(&node.value)) {
    fill_in_text(sink, *text, node.span);
  } else if (auto* list = std::get_if<List>(&node.value)) {
    for (Node& each : *list) fill_in_environment(sink, each);
  } else if (auto* table = std::get_if<Table>(&node.value)) {
    for (Entry& each : *table) fill_in_environment(sink, each.value);
  }
}

}  // namespace trivet::config
