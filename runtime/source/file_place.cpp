#include "runtime/source/file_place.hpp"

#include <algorithm>

namespace trivet::source {

FilePlace::FilePlace(const config::Route& route)
    : pattern_(route.path), one_file_(route.files->one_file), serve_hidden_(route.files->serve_hidden) {
  // "/**" has one slash and nothing above `**`.
  above_ = static_cast<std::size_t>(std::count(route.path.begin(), route.path.end(), '/')) - 1;
}

bool FilePlace::may_be_named(std::string_view segment) const noexcept {
  if (segment.empty() || segment == "." || segment == "..") return false;
  if (segment.find('/') != std::string_view::npos || segment.find('\0') != std::string_view::npos)
    return false;
  // What is registered for others to find is not hidden (RFC 8615).
  return segment.front() != '.' || serve_hidden_ || segment == ".well-known";
}

bool FilePlace::find(const cgi::RequestPath* path, std::string& place) const {
  place.clear();
  if (path == nullptr || !pattern_.matches(*path)) return false;
  if (one_file_) return true;
  const auto& segments = path->segments();
  for (std::size_t at = above_; at < segments.size(); ++at) {
    const std::string_view segment = segments[at];
    const bool last = at + 1 == segments.size();
    if (last && segment.empty()) {
      if (place.empty()) place += '/';
      return true;
    }
    if (!may_be_named(segment)) return false;
    place += segment;
    if (!last) place += '/';
  }
  return true;
}

}  // namespace trivet::source
