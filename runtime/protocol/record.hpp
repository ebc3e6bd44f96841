#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace trivet::protocol {

/// The record types of FastCGI 1.0, 3.3 and 8.
enum class RecordType : std::uint8_t {
  begin_request = 1,
  abort_request = 2,
  end_request = 3,
  params = 4,
  standard_in = 5,
  standard_out = 6,
  standard_error = 7,
  data = 8,
  get_values = 9,
  get_values_result = 10,
  unknown_type = 11,
};

/// FastCGI 1.0, 5.1. Other numbers occur on the wire; they never become a Role.
enum class Role : std::uint16_t { responder = 1, authorizer = 2, filter = 3 };

/// FastCGI 1.0, 5.5.
enum class ProtocolStatus : std::uint8_t {
  request_complete = 0,
  cant_multiplex_connection = 1,
  overloaded = 2,
  unknown_role = 3,
};

inline constexpr std::size_t max_content = 65535;
/// The largest content that needs no padding to a multiple of eight: what the encoder splits at.
inline constexpr std::size_t split_content = 65528;

/// The eight bytes that start every FastCGI record (FastCGI 1.0, 3.3).
///
///   0     version         1; any other value ends the connection
///   1     type            kept as sent, so that an unknown type can be answered
///   2..3  request id      big endian; 0 is reserved for management records
///   4..5  content length  big endian
///   6     padding length
///   7     reserved        ignored when read, zero when written
struct RecordHeader {
  static constexpr std::size_t wire_size = 8;
  static constexpr std::uint8_t version = 1;

  std::uint8_t type = 0;
  std::uint16_t request_id = 0;
  std::uint16_t content_length = 0;
  std::uint8_t padding_length = 0;

  friend bool operator==(const RecordHeader&, const RecordHeader&) = default;
};

/// Nothing if the version is not 1: then the length cannot be trusted either, so there is no next
/// record to find. Too few bytes cannot be passed: the extent is part of the type.
[[nodiscard]] constexpr std::optional<RecordHeader> decode(
    std::span<const std::uint8_t, RecordHeader::wire_size> wire) noexcept {
  if (wire[0] != RecordHeader::version) return std::nullopt;
  const auto u16 = [&](std::size_t at) { return static_cast<std::uint16_t>(wire[at] << 8U | wire[at + 1]); };
  return RecordHeader{wire[1], u16(2), u16(4), wire[6]};
}

constexpr void encode(const RecordHeader& header,
                      std::span<std::uint8_t, RecordHeader::wire_size> wire) noexcept {
  const auto high = [](std::uint16_t v) { return static_cast<std::uint8_t>(v >> 8U); };
  const auto low = [](std::uint16_t v) { return static_cast<std::uint8_t>(v & 0xffU); };
  wire[0] = RecordHeader::version;
  wire[1] = header.type;
  wire[2] = high(header.request_id);
  wire[3] = low(header.request_id);
  wire[4] = high(header.content_length);
  wire[5] = low(header.content_length);
  wire[6] = header.padding_length;
  wire[7] = 0;
}

[[nodiscard]] constexpr std::array<std::uint8_t, RecordHeader::wire_size> encode(
    const RecordHeader& header) noexcept {
  std::array<std::uint8_t, RecordHeader::wire_size> wire{};
  encode(header, wire);
  return wire;
}

}  // namespace trivet::protocol
