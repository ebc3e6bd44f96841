#include "tests/faults/load/wire.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace load {
namespace {

constexpr std::uint8_t begin_request = 1;
constexpr std::uint8_t params = 4;
constexpr std::uint8_t standard_input = 5;

void add_record(std::string& out, std::uint8_t type, std::uint16_t id, std::string_view content) {
  const std::array<unsigned char, 8> header{1,
                                            type,
                                            static_cast<unsigned char>(id >> 8U),
                                            static_cast<unsigned char>(id),
                                            static_cast<unsigned char>(content.size() >> 8U),
                                            static_cast<unsigned char>(content.size()),
                                            0,
                                            0};
  out.append(header.begin(), header.end());
  out += content;
}

/// Both shorter than 128 bytes.
void add_pair(std::string& out, std::string_view name, std::string_view value) {
  out += static_cast<char>(name.size());
  out += static_cast<char>(value.size());
  out += name;
  out += value;
}

/// The value of a header in lower-case `head`, or nothing.
std::optional<std::string_view> find(std::string_view head, std::string_view name) {
  const std::string wanted = "\r\n" + std::string(name) + ": ";
  const std::size_t at = head.find(wanted);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = head.substr(at + wanted.size());
  return rest.substr(0, rest.find("\r\n"));
}

}  // namespace

std::string fastcgi_request(std::string_view uri, std::string_view query, std::uint16_t id, bool is_kept) {
  std::string out;
  add_record(out, begin_request, id,
             std::string{'\0', '\1', is_kept ? '\1' : '\0', '\0', '\0', '\0', '\0', '\0'});
  std::string pairs;
  add_pair(pairs, "REQUEST_METHOD", "GET");
  add_pair(pairs, "REQUEST_URI", std::string(uri) + "?" + std::string(query));
  add_pair(pairs, "SCRIPT_NAME", uri);
  add_pair(pairs, "QUERY_STRING", query);
  add_pair(pairs, "SERVER_PROTOCOL", "HTTP/1.1");
  add_record(out, params, id, pairs);
  add_record(out, params, id, {});
  add_record(out, standard_input, id, {});
  return out;
}

std::string http_request(std::string_view uri, std::string_view query) {
  return "GET " + std::string(uri) + "?" + std::string(query) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

std::optional<Record> take_record(std::string& in, bool& is_broken) {
  constexpr std::size_t header_size = 8;
  if (in.size() < header_size) return std::nullopt;
  const auto at = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(in[i])); };
  if (at(0) != 1 || at(7) != 0) {
    is_broken = true;
    return std::nullopt;
  }
  const std::size_t length = at(4) << 8U | at(5);
  const std::size_t whole = header_size + length + at(6);
  if (in.size() < whole) return std::nullopt;
  Record record{static_cast<std::uint8_t>(at(1)), static_cast<std::uint16_t>(at(2) << 8U | at(3)),
                in.substr(header_size, length)};
  in.erase(0, whole);
  return record;
}

std::optional<HttpAnswer> take_http_answer(std::string& in) {
  const std::size_t end = in.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  std::string head = in.substr(0, end);
  std::transform(head.begin(), head.end(), head.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  HttpAnswer answer;
  answer.closes = find(head, "connection") == "close";
  const auto length = find(head, "content-length");
  std::size_t size = 0;
  if (!length || std::from_chars(length->data(), length->data() + length->size(), size).ec != std::errc()) {
    answer.closes = true;  // Its end is not known; what the host answers here has a length.
    answer.body = std::exchange(in, {});
    return answer;
  }
  if (in.size() < end + 4 + size) return std::nullopt;
  answer.is_ok = head.starts_with("http/1.1 200 ");
  answer.body = answer.is_ok ? in.substr(end + 4, size) : in.substr(0, end + 4 + size);
  in.erase(0, end + 4 + size);
  return answer;
}

std::optional<std::string_view> body_of(std::string_view response) {
  const std::size_t end = response.find("\r\n\r\n");
  if (end == std::string_view::npos || !response.starts_with("Status: 200 ")) return std::nullopt;
  return response.substr(end + 4);
}

}  // namespace load
