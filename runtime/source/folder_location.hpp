#pragma once

#include <string>

#include "runtime/cgi/params.hpp"
#include "runtime/cgi/request_path.hpp"

namespace trivet::source {

/// The longest Location that is sent.
inline constexpr std::size_t longest_location = 4096;

/// Where a request for a folder without a slash at its end has to go: the path with a slash, the query kept,
/// as
/// `/a%20b/?q`. It is the client's own path (REQUEST_URI) where that names something, else the one that was
/// matched: a path alone, that cannot be taken for another host. Empty: it would be too long.
[[nodiscard]] std::string folder_location(const cgi::Params& params, const cgi::RequestPath& matched);

}  // namespace trivet::source
