#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trivet::fuzz {

/// A path as the rule wants it, computed slowly, in the order in which the rule is written:
///
///   REQUEST_URI: the absolute form is cut to its path, the query is cut, the rest is percent-decoded once.
///   Any other path is taken as it is. Matching is by decoded segments; %2F is data within a segment.
///   Refused always: dot segments in any encoding, also before `;`, backslash, NUL, control bytes.
///   Refused on guarded routes ("odd"): `//`, and bytes that are not UTF-8.
struct ReferencePath {
  bool refused = true;
  bool odd = false;
  std::vector<std::string> segments;
};

[[nodiscard]] ReferencePath reference_path(std::string_view text, bool is_uri);

/// `*` stands for any characters within one segment, `**` as a whole segment for any number of segments.
[[nodiscard]] bool reference_matches(std::string_view pattern, const std::vector<std::string>& segments);

[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);

}  // namespace trivet::fuzz
