#include "runtime/cli/trace.hpp"

#include <algorithm>
#include <array>

namespace trivet::cli {
namespace {

constexpr std::size_t longest_preview = 48;

std::string number(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<std::uint8_t>(c);
  return std::to_string(value);
}

std::string protocol_status(std::uint8_t status) {
  static constexpr std::array names = {"REQUEST_COMPLETE", "CANT_MPX_CONN", "OVERLOADED", "UNKNOWN_ROLE"};
  return status < names.size() ? names[status] : std::to_string(status);
}

std::string role(std::string_view bytes) {
  static constexpr std::array names = {"0", "RESPONDER", "AUTHORIZER", "FILTER"};
  const std::size_t value = static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[0])) << 8U |
                            static_cast<std::uint8_t>(bytes[1]);
  return value < names.size() ? names[value] : std::to_string(value);
}

}  // namespace

std::string record_name(std::uint8_t type) {
  static constexpr std::array names = {
      "TYPE_0", "BEGIN_REQUEST", "ABORT_REQUEST", "END_REQUEST",       "PARAMS",      "STDIN", "STDOUT",
      "STDERR", "DATA",          "GET_VALUES",    "GET_VALUES_RESULT", "UNKNOWN_TYPE"};
  return type < names.size() ? names[type] : "TYPE_" + std::to_string(type);
}

std::string escaped(std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += "\\x";
      out += digits[byte >> 4U];
      out += digits[byte & 0xfU];
    }
  }
  return out;
}

std::string Trace::line() const {
  const protocol::RecordHeader& header = decoder_.header();
  std::string text{direction_};
  text += ' ' + record_name(header.type) + " id=" + std::to_string(header.request_id) +
          " length=" + std::to_string(header.content_length) +
          " padding=" + std::to_string(header.padding_length);
  const auto type = static_cast<protocol::RecordType>(header.type);
  const std::string_view content = preview_;
  if (type == protocol::RecordType::begin_request && content.size() == 8) {
    text +=
        " role=" + role(content) + ((static_cast<std::uint8_t>(content[2]) & 1U) != 0 ? " keep_conn" : "");
  } else if (type == protocol::RecordType::end_request && content.size() == 8) {
    text += " app_status=" + number(content.substr(0, 4)) +
            " protocol_status=" + protocol_status(static_cast<std::uint8_t>(content[4]));
  } else if (!content.empty()) {
    text += " \"" + escaped(content) + (header.content_length > content.size() ? "\"..." : "\"");
  }
  return text + '\n';
}

std::string Trace::feed(base::Bytes bytes) {
  std::string lines;
  for (;;) {
    const protocol::RecordStep step = decoder_.next(bytes);
    switch (step.kind) {
      case protocol::RecordStep::Kind::more:
        return lines;
      case protocol::RecordStep::Kind::wrong_version:
        return lines + direction_ + " not FastCGI\n";
      case protocol::RecordStep::Kind::header:
        preview_.clear();
        break;
      case protocol::RecordStep::Kind::content:
        preview_ += base::as_text(
            step.content.first(std::min(step.content.size(), longest_preview - preview_.size())));
        break;
      case protocol::RecordStep::Kind::end:
        lines += line();
        break;
    }
  }
}

}  // namespace trivet::cli
