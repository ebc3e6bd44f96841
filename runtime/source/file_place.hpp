#pragma once

#include <cstddef>
#include <string>

#include "runtime/cgi/request_path.hpp"
#include "runtime/config/config.hpp"

namespace trivet::source {

/// Which file below its root a route's path means.
///
///   path = "/docs/**"    /docs -> ""    /docs/ -> "/"    /docs/a/b.md -> "a/b.md"    /docs/a/ -> "a/"
///
/// One spelling of a path means one file: an empty segment (`//`), a `%2F` in a segment and a dot segment
/// mean none. Otherwise `/docs//private/x` would be a file whose guards, on `/docs/private/**`, were not
/// asked.
///
/// Thread    [any]: immutable.
/// Lifetime  `route` is not needed any more.
class FilePlace {
 public:
  /// Of a route that has `files`.
  explicit FilePlace(const config::Route& route);

  /// Where the file is, relative to the root; ends in '/' where the path did. For the one file: empty. False:
  /// nowhere, and never outside: the path does not fit the route (TRIVET_ROUTE named it), is none (null), or
  /// holds a hidden name.
  [[nodiscard]] bool find(const cgi::RequestPath* path, std::string& place) const;

 private:
  [[nodiscard]] bool may_be_named(std::string_view segment) const noexcept;

  cgi::PathPattern pattern_;
  std::size_t above_ = 0;  ///< Segments of the pattern before `**`.
  bool one_file_;
  bool serve_hidden_;
};

}  // namespace trivet::source
