#include "runtime/source/folder_location.hpp"

#include <algorithm>

namespace trivet::source {
namespace {

constexpr std::string_view digits = "0123456789ABCDEF";

void add_escaped(std::string& to, char byte) {
  const auto value = static_cast<unsigned char>(byte);
  to += '%';
  to += digits[value >> 4U];
  to += digits[value & 0xfU];
}

bool is_alphanumeric(char each) noexcept {
  return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9');
}

/// What stands in a segment as it is (RFC 3986, 3.3).
bool is_plain(char each) noexcept {
  return is_alphanumeric(each) || std::string_view("-._~!$&'()*+,;=:@").find(each) != std::string_view::npos;
}

bool names_no_folder(const cgi::RequestPath& path) noexcept {
  const auto& segments = path.segments();
  return std::any_of(segments.begin(), segments.end(), [](std::string_view each) { return each.empty(); });
}

std::string_view query_of(const cgi::Params& params) noexcept {
  const std::string_view uri = params.get(cgi::KnownParam("REQUEST_URI"));
  if (uri.empty()) return params.get("QUERY_STRING");
  const std::size_t mark = uri.find('?');
  if (mark == std::string_view::npos) return {};
  return uri.substr(mark + 1, uri.find('#', mark) - mark - 1);
}

}  // namespace

std::string folder_location(const cgi::Params& params, const cgi::RequestPath& matched) {
  cgi::RequestPath own;
  const std::string_view uri = params.get(cgi::KnownParam("REQUEST_URI"));
  const bool usable = !uri.empty() && own.parse(uri, cgi::RequestPath::Form::uri).empty();
  const cgi::RequestPath& path = usable && !names_no_folder(own) ? own : matched;
  std::string location;
  for (const std::string_view segment : path.segments()) {
    location += '/';
    for (const char each : segment) {
      if (is_plain(each)) {
        location += each;
      } else {
        add_escaped(location, each);
      }
    }
  }
  location += '/';
  if (const std::string_view query = query_of(params); !query.empty()) {
    location += '?';
    for (const char each : query) {
      // What is no part of a URI at all; a `%` was the client's.
      if (is_plain(each) || each == '/' || each == '?' || each == '%') {
        location += each;
      } else {
        add_escaped(location, each);
      }
    }
  }
  if (location.size() > longest_location) location.clear();
  return location;
}

}  // namespace trivet::source
