#include "runtime/protocol/encoder.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace trivet::protocol {

namespace {

constexpr std::size_t fixed_body = 8;  // BEGIN_REQUEST, END_REQUEST and UNKNOWN_TYPE carry eight bytes each.
constexpr std::size_t max_pair_length = 0x7fffffff;
constexpr std::size_t padded_to = 8;
static_assert(RecordHeader::wire_size == padded_to);

constexpr std::uint8_t byte_of(std::uint32_t value, unsigned shift) noexcept {
  return static_cast<std::uint8_t>(value >> shift & 0xffU);
}

constexpr std::uint8_t padding_for(std::size_t content) noexcept {
  return static_cast<std::uint8_t>((padded_to - content % padded_to) % padded_to);
}

RecordHeader header_of(RecordType type, std::uint16_t id, std::size_t content) noexcept {
  // A length that does not fit would be narrowed, and the rest of the content read as records of its own:
  // whoever chose that content would choose those records. No bug is worth going on with that.
  if (content > max_content) std::abort();
  return {static_cast<std::uint8_t>(type), id, static_cast<std::uint16_t>(content), padding_for(content)};
}

void write_header(const RecordHeader& header, std::uint8_t* at) noexcept {
  encode(header, std::span<std::uint8_t, RecordHeader::wire_size>(at, RecordHeader::wire_size));
}

constexpr std::array<std::uint8_t, fixed_body> end_request_body(std::uint32_t app_status,
                                                                ProtocolStatus status) noexcept {
  return {byte_of(app_status, 24),
          byte_of(app_status, 16),
          byte_of(app_status, 8),
          byte_of(app_status, 0),
          static_cast<std::uint8_t>(status),
          0,
          0,
          0};
}

void append_record(base::Buffer& out, RecordType type, std::uint16_t id, base::Bytes content) {
  const RecordHeader header = header_of(type, id, content.size());
  const std::size_t size = RecordHeader::wire_size + content.size() + header.padding_length;
  std::uint8_t* const at = out.prepare(size).data();
  // Padded to eight, the last eight bytes are padding, content that is about to follow, or the header alone.
  std::memset(at + size - padded_to, 0, padded_to);
  write_header(header, at);
  if (!content.empty()) std::memcpy(at + RecordHeader::wire_size, content.data(), content.size());
  out.commit(size);
}

void append_length(base::Buffer& out, std::size_t length) {
  if (length > max_pair_length) std::abort();  // As in header_of(): never narrow a length.
  const auto value = static_cast<std::uint32_t>(length);
  if (value < 0x80) {
    out.append(base::Bytes(std::array{byte_of(value, 0)}));
    return;
  }
  out.append(base::Bytes(std::array{byte_of(value | 0x80000000U, 24), byte_of(value, 16), byte_of(value, 8),
                                    byte_of(value, 0)}));
}

}  // namespace

void append_stream(base::Buffer& out, RecordType type, std::uint16_t id, base::Bytes content) {
  while (!content.empty()) {
    const std::size_t piece = std::min(content.size(), split_content);
    append_record(out, type, id, content.first(piece));
    content = content.subspan(piece);
  }
}

void append_stream_end(base::Buffer& out, RecordType type, std::uint16_t id) {
  append_record(out, type, id, {});
}

std::size_t begin_record(base::Buffer& out) {
  const std::size_t at = out.size();
  const auto room = out.prepare(RecordHeader::wire_size);
  std::memset(room.data(), 0, room.size());
  out.commit(room.size());
  return at;
}

void end_record(base::Buffer& out, std::size_t at, RecordType type, std::uint16_t id) {
  const RecordHeader header = header_of(type, id, out.size() - at - RecordHeader::wire_size);
  std::memset(out.prepare(padded_to).data(), 0, padded_to);
  out.commit(header.padding_length);
  write_header(header, out.data() + at);
}

void append_end_request(base::Buffer& out, std::uint16_t id, std::uint32_t app_status,
                        ProtocolStatus status) {
  append_record(out, RecordType::end_request, id, end_request_body(app_status, status));
}

void append_answer_end(base::Buffer& out, std::uint16_t id, std::uint32_t app_status, ProtocolStatus status) {
  const auto stream = encode(header_of(RecordType::standard_out, id, 0));
  const auto end = encode(header_of(RecordType::end_request, id, fixed_body));
  const auto body = end_request_body(app_status, status);
  std::uint8_t* const at = out.prepare(stream.size() + end.size() + body.size()).data();
  std::memcpy(at, stream.data(), stream.size());
  std::memcpy(at + stream.size(), end.data(), end.size());
  std::memcpy(at + stream.size() + end.size(), body.data(), body.size());
  out.commit(stream.size() + end.size() + body.size());
}

void append_begin_request(base::Buffer& out, std::uint16_t id, std::uint16_t role, bool keep_connection) {
  const std::array<std::uint8_t, fixed_body> body = {
      byte_of(role, 8), byte_of(role, 0), static_cast<std::uint8_t>(keep_connection ? 1 : 0), 0, 0, 0, 0, 0};
  append_record(out, RecordType::begin_request, id, body);
}

void append_abort_request(base::Buffer& out, std::uint16_t id) {
  append_record(out, RecordType::abort_request, id, {});
}

void append_unknown_type(base::Buffer& out, std::uint8_t type) {
  const std::array<std::uint8_t, fixed_body> body = {type, 0, 0, 0, 0, 0, 0, 0};
  append_record(out, RecordType::unknown_type, 0, body);
}

void append_pair(base::Buffer& out, std::string_view name, std::string_view value) {
  append_length(out, name.size());
  append_length(out, value.size());
  out.append(name);
  out.append(value);
}

}  // namespace trivet::protocol
