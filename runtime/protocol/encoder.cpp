#include "runtime/protocol/encoder.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace trivet::protocol {

namespace {

constexpr std::size_t fixed_body = 8;  // BEGIN_REQUEST, END_REQUEST and UNKNOWN_TYPE carry eight bytes each.
constexpr std::size_t max_pair_length = 0x7fffffff;

constexpr std::uint8_t byte_of(std::uint32_t value, unsigned shift) noexcept {
  return static_cast<std::uint8_t>(value >> shift & 0xffU);
}

constexpr std::uint8_t padding_for(std::size_t content) noexcept {
  return static_cast<std::uint8_t>((8 - content % 8) % 8);
}

RecordHeader header_of(RecordType type, std::uint16_t id, std::size_t content) noexcept {
  // A length that does not fit would be narrowed, and the rest of the content read as records of its own:
  // whoever chose that content would choose those records. No bug is worth going on with that.
  if (content > max_content) std::abort();
  return {static_cast<std::uint8_t>(type), id, static_cast<std::uint16_t>(content), padding_for(content)};
}

void append_record(base::Buffer& out, RecordType type, std::uint16_t id, base::Bytes content) {
  const RecordHeader header = header_of(type, id, content.size());
  const std::size_t size = RecordHeader::wire_size + content.size() + header.padding_length;
  const auto wire = encode(header);
  std::uint8_t* at = out.prepare(size).data();
  std::memcpy(at, wire.data(), wire.size());
  at += wire.size();
  if (!content.empty()) std::memcpy(at, content.data(), content.size());
  std::memset(at + content.size(), 0, header.padding_length);
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
  const auto padding = out.prepare(header.padding_length);
  if (!padding.empty()) std::memset(padding.data(), 0, padding.size());
  out.commit(padding.size());
  const auto wire = encode(header);
  std::memcpy(out.data() + at, wire.data(), wire.size());
}

void append_end_request(base::Buffer& out, std::uint16_t id, std::uint32_t app_status,
                        ProtocolStatus status) {
  const std::array<std::uint8_t, fixed_body> body = {byte_of(app_status, 24),
                                                     byte_of(app_status, 16),
                                                     byte_of(app_status, 8),
                                                     byte_of(app_status, 0),
                                                     static_cast<std::uint8_t>(status),
                                                     0,
                                                     0,
                                                     0};
  append_record(out, RecordType::end_request, id, body);
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
