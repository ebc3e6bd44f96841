#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/bytes.hpp"

/// FastCGI as a peer writes it, put together byte by byte here and not by the encoder under test, so that an
/// error of the encoder cannot hide one of the decoder. Numbers are taken as they are: most may be wrong.
namespace trivet::protocol::wire {

inline constexpr unsigned begin_request = 1, abort_request = 2, end_request = 3, params = 4, standard_in = 5,
                          standard_out = 6, standard_error = 7, data = 8, get_values = 9,
                          get_values_result = 10, unknown_type = 11;
inline constexpr unsigned responder = 1, authorizer = 2, filter = 3;

/// What stands in a record beside its header fields.
struct Filling {
  std::string padding;
  unsigned reserved = 0;
};

std::string record(unsigned type, unsigned id, std::string_view content, const Filling& filling = {});
/// A record padded with zeros to a multiple of eight.
std::string padded(unsigned type, unsigned id, std::string_view content);
std::string begin(unsigned id, unsigned role, unsigned flags = 1);
std::string end(unsigned id, std::uint32_t app_status, unsigned protocol_status);

/// One pair; lengths of 128 and more in four bytes.
std::string pair(std::string_view name, std::string_view value);
/// A length in four bytes, whatever it is.
std::string long_length(std::uint32_t length);

/// A small whole request: parameters, and a body (and data) as its role has them.
std::string request(unsigned id, unsigned role);

inline base::Bytes bytes(std::string_view text) { return base::as_bytes(text); }
inline std::string text(base::Bytes bytes) { return std::string(base::as_text(bytes)); }

}  // namespace trivet::protocol::wire
