#pragma once

#include <cstddef>

#include "runtime/base/buffer.hpp"
#include "runtime/base/bytes.hpp"

namespace trivet::protocol {

/// What FCGI_GET_VALUES is answered with (FastCGI 1.0, 4.1).
struct Capacity {
  std::size_t max_connections;
  std::size_t max_requests;
};

/// Appends one FCGI_GET_VALUES_RESULT to `out` for the content of an FCGI_GET_VALUES record.
///
/// Names that FastCGI 1.0, 4.1 defines are answered in the order first asked for, each once however often
/// it was repeated; others are left out, so the result may be empty. Values in the query are ignored.
///
/// Memory  The answer is at most 104 bytes whatever was asked.
/// Errors  False when the pairs of the query are broken; then nothing is appended.
[[nodiscard]] bool append_get_values_result(base::Buffer& out, base::Bytes query, const Capacity& capacity);

}  // namespace trivet::protocol
