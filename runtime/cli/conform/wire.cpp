#include "runtime/cli/conform/wire.hpp"

#include <algorithm>

namespace trivet::cli::conform {

namespace {

std::string big_endian(std::size_t number, int bytes) {
  std::string text;
  for (int at = bytes - 1; at >= 0; --at) text += static_cast<char>((number >> (8 * at)) & 0xFFU);
  return text;
}

std::string length(std::size_t size, bool long_form) {
  return size < 128 && !long_form ? big_endian(size, 1) : big_endian(size | 0x80000000U, 4);
}

bool take_length(std::string_view& bytes, std::size_t& out) {
  if (bytes.empty()) return false;
  const std::size_t size = (static_cast<unsigned char>(bytes[0]) & 0x80U) != 0 ? 4 : 1;
  if (bytes.size() < size) return false;
  out = number(bytes.substr(0, size)) & (size == 4 ? 0x7FFFFFFFU : 0x7FU);
  bytes.remove_prefix(size);
  return true;
}

}  // namespace

std::string record(std::uint8_t kind, std::string_view content, std::uint16_t id, Odd odd) {
  std::string text;
  text.reserve(8 + content.size() + odd.padding);
  text.append(1, static_cast<char>(odd.version)).append(1, static_cast<char>(kind));
  text.append(big_endian(id, 2)).append(big_endian(content.size(), 2));
  text.append(1, static_cast<char>(odd.padding)).append(1, static_cast<char>(odd.reserved));
  return text.append(content).append(odd.padding, static_cast<char>(odd.pad_byte));
}

std::string begin(std::uint16_t role, bool keep, std::uint16_t id) {
  return record(kind_begin, big_endian(role, 2) + std::string(1, keep ? '\1' : '\0') + std::string(5, '\0'),
                id);
}

std::string pair(std::string_view name, std::string_view value, bool long_form) {
  return length(name.size(), long_form) + length(value.size(), long_form) + std::string(name) +
         std::string(value);
}

std::string pairs(const Params& params, bool long_form) {
  std::string text;
  for (const auto& [name, value] : params) text += pair(name, value, long_form);
  return text;
}

std::string pieces(std::uint8_t kind, std::string_view content, std::uint16_t id, std::size_t piece,
                   Odd odd) {
  std::string text;
  for (std::size_t at = 0; at < content.size(); at += piece)
    text += record(kind, content.substr(at, piece), id, odd);
  return text;
}

std::string stream(std::uint8_t kind, std::string_view content, std::uint16_t id, std::size_t piece,
                   Odd odd) {
  return pieces(kind, content, id, piece, odd) + record(kind, "", id, odd);
}

std::string wire(const Request& request, std::size_t piece, Odd odd) {
  std::string text = begin(request.role, request.keep, request.id);
  text += stream(kind_params, pairs(request.params), request.id, piece, odd);
  text += stream(kind_stdin, request.body, request.id, piece, odd);
  if (request.role == role_filter) text += stream(kind_data, request.data, request.id, piece, odd);
  return text;
}

Taken take_record(std::string_view buffer, std::size_t& offset, Record& out) {
  const std::string_view rest = buffer.substr(offset);
  if (!rest.empty() && rest[0] != 1) return Taken::broken;
  if (rest.size() < 8) return Taken::partial;
  const std::size_t content = number(rest.substr(4, 2));
  const std::size_t padding = static_cast<unsigned char>(rest[6]);
  if (rest.size() < 8 + content + padding) return Taken::partial;
  const std::string_view pad = rest.substr(8 + content, padding);
  out = {static_cast<std::uint8_t>(rest[1]), static_cast<std::uint16_t>(number(rest.substr(2, 2))),
         rest.substr(8, content),
         rest[7] != 0 || std::any_of(pad.begin(), pad.end(), [](char each) { return each != 0; })};
  offset += 8 + content + padding;
  return Taken::whole;
}

std::uint32_t number(std::string_view bytes) noexcept {
  std::uint32_t value = 0;
  for (const char each : bytes) value = value << 8U | static_cast<unsigned char>(each);
  return value;
}

bool read_pairs(std::string_view bytes, Params& out) {
  while (!bytes.empty()) {
    std::size_t name = 0;
    std::size_t value = 0;
    if (!take_length(bytes, name) || !take_length(bytes, value)) return false;
    if (bytes.size() < name || bytes.size() - name < value) return false;
    out.emplace_back(bytes.substr(0, name), bytes.substr(name, value));
    bytes.remove_prefix(name + value);
  }
  return true;
}

}  // namespace trivet::cli::conform
