// What routes match by, against a slow reference. Lines: a path or URI, two patterns, a text for wildcards.

#include <string>
#include <vector>

#include "runtime/cgi/request_path.hpp"
#include "runtime/config/pattern.hpp"
#include "tests/fuzz/path_reference.hpp"
#include "tests/fuzz/property.hpp"

namespace trivet::fuzz {
namespace {

using cgi::RequestPath;
using Segments = std::vector<std::string>;

Segments segments_of(const RequestPath& path) { return {path.segments().begin(), path.segments().end()}; }

/// In memory that other paths used before, as requests do it.
void check_path(RequestPath& path, std::string_view text, RequestPath::Form form) {
  const ReferencePath expected = reference_path(text, form == RequestPath::Form::uri);
  const std::string_view wrong = path.parse(text, form);
  require(wrong.empty() == !expected.refused, "paths are refused as the rule says");
  if (!wrong.empty()) return;
  require(segments_of(path) == expected.segments, "segments are those of the path, decoded once");
  require(path.odd() == expected.odd, "odd paths are those with // or bytes that are not UTF-8");
  // What is decoded is never decoded again: as a decoded path it is the same path, if no slash became data.
  std::string joined;
  bool has_slash = false;
  for (const std::string& segment : expected.segments) {
    joined += '/' + segment;
    has_slash = has_slash || segment.find('/') != std::string::npos;
  }
  if (has_slash) return;
  RequestPath again;
  require(again.parse(joined, RequestPath::Form::decoded).empty() && again.same(path),
          "an accepted path is accepted again, as it is");
}

void check_pattern(const std::string& pattern, const RequestPath& path) {
  const bool matches = cgi::PathPattern(pattern).matches(path);
  require(matches == reference_matches(pattern, segments_of(path)), "patterns match as the rule says");
}

/// A path that a pattern matches: its wildcards filled in.
std::string fill(const std::string& pattern, const Segments& fillings) {
  std::string path;
  std::size_t next = 0;
  const auto filling = [&] { return fillings[next++ % fillings.size()]; };
  for (const std::string& segment : split(pattern.substr(1), '/')) {
    if (segment == "**") {
      const std::string some = filling();
      if (!some.empty()) path += '/' + some;
      continue;
    }
    path += '/';
    for (const char c : segment) path += c == '*' ? filling() : std::string(1, c);
  }
  return path.empty() ? "/" : path;
}

void check_cover(const std::string& wide, const std::string& narrow, const Segments& fillings) {
  if (config::find_pattern_problem(wide) || config::find_pattern_problem(narrow)) return;
  const bool covered = config::covers(config::split_pattern(wide), config::split_pattern(narrow));
  RequestPath path;
  const std::string filled = fill(narrow, fillings);
  if (!path.parse(filled, RequestPath::Form::decoded).empty()) return;
  check_pattern(wide, path);
  check_pattern(narrow, path);
  require(!covered || !cgi::PathPattern(narrow).matches(path) || cgi::PathPattern(wide).matches(path),
          "a pattern that covers another matches all that the other matches");
}

}  // namespace
}  // namespace trivet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trivet;
  std::vector<std::string> lines = fuzz::split(base::as_text({data, size}), '\n');
  lines.resize(4);
  cgi::RequestPath path;
  for (const auto form : {cgi::RequestPath::Form::uri, cgi::RequestPath::Form::decoded}) {
    fuzz::check_path(path, lines[0], form);
    if (!path.parse(lines[0], form).empty()) continue;
    fuzz::check_pattern(lines[1], path);
    fuzz::check_pattern(lines[2], path);
  }
  fuzz::check_cover(lines[1], lines[2], fuzz::split(lines[3], ' '));
  return 0;
}
