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

}  // namespace trivet::cli
