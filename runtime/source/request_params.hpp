#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/buffer.hpp"
#include "runtime/cgi/params.hpp"

namespace trivet::source {

/// Parameters that take the place of the request's own, by name; one with an empty value is left out.
using ParamOverrides = std::vector<std::pair<std::string_view, std::string>>;

/// FCGI_PARAMS for an application, with its end: all parameters but TRIVET_*, which speak to this host alone.
///
/// A pair stands in one record where it fits into one: PHP reads each record by itself.
void append_request_params(base::Buffer& out, std::uint16_t id, const cgi::Params& params,
                           const ParamOverrides& overrides);

}  // namespace trivet::source
