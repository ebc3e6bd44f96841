#include "runtime/cli/trace.hpp"

#include <algorithm>
#include <array>

#include "runtime/protocol/name_value.hpp"

namespace trivet::cli {
namespace {

using protocol::RecordType;

constexpr std::size_t longest_preview = 48;
constexpr std::size_t longest_value = 120;

std::uint32_t number(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<std::uint8_t>(c);
  return value;
}

std::string role_name(std::uint32_t role) {
  static constexpr std::array names = {"0", "RESPONDER", "AUTHORIZER", "FILTER"};
  return role < names.size() ? names[role] : std::to_string(role);
}

std::string quoted(std::string_view text, std::size_t most, std::size_t whole_size) {
  return '"' + escaped(text.substr(0, most)) + (whole_size > std::min(most, text.size()) ? "\"..." : "\"");
}

/// ` NAME="value" NAME="value"`; nothing when the bytes are not whole pairs.
std::string pairs(std::string_view content) {
  std::string out;
  protocol::PairReader reader(base::as_bytes(content));
  while (const auto pair = reader.next()) {
    out += ' ' + escaped(pair->name) + '=' + quoted(pair->value, longest_value, pair->value.size());
  }
  return reader.broken() ? std::string() : out;
}

}  // namespace

std::string record_name(std::uint8_t type) {
  static constexpr std::array names = {
      "TYPE_0", "BEGIN_REQUEST", "ABORT_REQUEST", "END_REQUEST",       "PARAMS",      "STDIN", "STDOUT",
      "STDERR", "DATA",          "GET_VALUES",    "GET_VALUES_RESULT", "UNKNOWN_TYPE"};
  return type < names.size() ? names[type] : "TYPE_" + std::to_string(type);
}

std::string protocol_status_name(std::uint8_t status) {
  static constexpr std::array names = {"REQUEST_COMPLETE", "CANT_MPX_CONN", "OVERLOADED", "UNKNOWN_ROLE"};
  return status < names.size() ? names[status] : std::to_string(status);
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

std::string Trace::start_of_line() const {
  const protocol::RecordHeader& header = decoder_.header();
  return std::string{direction_} + ' ' + record_name(header.type) +
         " id=" + std::to_string(header.request_id) + " length=" + std::to_string(header.content_length) +
         " padding=" + std::to_string(header.padding_length);
}

std::string Trace::content_text() {
  const auto type = static_cast<RecordType>(decoder_.header().type);
  const std::string_view content = kept_;
  if (type == RecordType::begin_request) {
    params_whole_ = true;
    if (received_ == 8) {
      const bool keeps = (static_cast<std::uint8_t>(content[2]) & 1U) != 0;
      return " role=" + role_name(number(content.substr(0, 2))) + (keeps ? " keep_conn" : "");
    }
  }
  if (type == RecordType::end_request && received_ == 8) {
    return " app_status=" + std::to_string(number(content.substr(0, 4))) +
           " protocol_status=" + protocol_status_name(static_cast<std::uint8_t>(content[4]));
  }
  if (type == RecordType::params && params_whole_) {
    // After a pair that is cut by the end of its record, nobody knows where in the next one a pair begins.
    if (std::string text = pairs(content); content.empty() || !text.empty()) return text;
    params_whole_ = false;
  }
  return received_ == 0 ? std::string() : ' ' + quoted(content, longest_preview, received_);
}

std::string Trace::line() {
  in_record_ = false;
  return start_of_line() + content_text() + '\n';
}

void Trace::take_content(base::Bytes content) {
  received_ += content.size();
  const bool whole = static_cast<RecordType>(decoder_.header().type) == RecordType::params;
  const std::size_t room = (whole ? protocol::max_content : longest_preview) - kept_.size();
  kept_ += base::as_text(content.first(std::min(content.size(), room)));
}

std::string Trace::feed(base::Bytes bytes) {
  std::string lines;
  while (!broken_) {
    const protocol::RecordStep step = decoder_.next(bytes);
    switch (step.kind) {
      case protocol::RecordStep::Kind::more:
        return lines;
      case protocol::RecordStep::Kind::wrong_version:
        broken_ = true;
        lines += direction_;
        lines += " not FastCGI 1: " + quoted(base::as_text(bytes), longest_preview, bytes.size()) + '\n';
        break;
      case protocol::RecordStep::Kind::header:
        kept_.clear();
        received_ = 0;
        in_record_ = true;
        break;
      case protocol::RecordStep::Kind::content:
        take_content(step.content);
        break;
      case protocol::RecordStep::Kind::end:
        lines += line();
        break;
    }
  }
  return lines;
}

std::string Trace::end() {
  if (broken_) return {};
  if (in_record_) {
    in_record_ = false;
    return start_of_line() + " cut after " + std::to_string(received_) + " bytes\n";
  }
  if (decoder_.at_boundary()) return {};
  return std::string{direction_} + " cut within a header or padding\n";
}

}  // namespace trivet::cli
