#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/base/buffer.hpp"
#include "runtime/protocol/record.hpp"

/// Records written to the end of a Buffer. Content is padded to a multiple of eight with zero bytes;
/// every reserved byte is zero (FastCGI 1.0, 3.3). Both directions: `trivet call` is a client.
namespace trivet::protocol {

/// Stream content, split at 65528 bytes into as many records as needed. Empty content writes nothing: an
/// empty record would end the stream.
void append_stream(base::Buffer& out, RecordType type, std::uint16_t id, base::Bytes content);

/// The empty record that ends a stream.
void append_stream_end(base::Buffer& out, RecordType type, std::uint16_t id);

/// One record whose content is written by the caller: begin_record() reserves the header, the content is
/// then appended to `out`, end_record() pads and fills the header in. For a head that must be one record.
/// `at` is what begin_record returned. Content is at most max_content bytes.
[[nodiscard]] std::size_t begin_record(base::Buffer& out);
void end_record(base::Buffer& out, std::size_t at, RecordType type, std::uint16_t id);

void append_end_request(base::Buffer& out, std::uint16_t id, std::uint32_t app_status, ProtocolStatus status);
/// How an answer ends: append_stream_end() of FCGI_STDOUT, and append_end_request().
void append_answer_end(base::Buffer& out, std::uint16_t id, std::uint32_t app_status, ProtocolStatus status);
/// `role` is a number, not a Role: a client may want to send a wrong one.
void append_begin_request(base::Buffer& out, std::uint16_t id, std::uint16_t role, bool keep_connection);
void append_abort_request(base::Buffer& out, std::uint16_t id);
/// FastCGI 1.0, 4.2.
void append_unknown_type(base::Buffer& out, std::uint8_t type);

/// One name-value pair (FastCGI 1.0, 3.4), as stream content: no record header. Both lengths are below 2^31.
void append_pair(base::Buffer& out, std::string_view name, std::string_view value);

}  // namespace trivet::protocol
