#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/cli/options.hpp"

namespace trivet::cli {

/// What is known of the streams of a call.
struct CallLengths {
  std::optional<std::uint64_t> body;  ///< Absent: there is one, of unknown length.
  bool has_body = false;
  std::optional<std::uint64_t> data;
  std::optional<std::int64_t> data_modified;
};

/// The CGI parameters that a web server would send for this call, with those of -p.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> call_params(const CallCommand& command,
                                                                           const CallLengths& lengths);

/// A path decoded once, or nothing when it has a broken escape or a NUL: such a URI is sent as REQUEST_URI
/// alone.
[[nodiscard]] std::optional<std::string> decoded_path(const std::string& path);

/// Drops those of `without`, then adds `more` in place of those of the same name; one given twice is sent
/// twice, as some web servers do.
void change_params(std::vector<std::pair<std::string, std::string>>& params,
                   const std::vector<std::string>& without,
                   const std::vector<std::pair<std::string, std::string>>& more);

}  // namespace trivet::cli
