#include "runtime/host/json.hpp"

#include "runtime/config/text.hpp"

namespace trivet::host {
namespace {

void put_unit(std::string& to, std::uint32_t unit) {
  constexpr std::string_view digits = "0123456789abcdef";
  to += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) to += digits[unit >> static_cast<unsigned>(shift) & 0xfU];
}

/// As UTF-16, which is what JSON escapes.
void put_escape(std::string& to, char32_t character) {
  if (character < 0x10000) {
    put_unit(to, character);
    return;
  }
  const std::uint32_t rest = character - 0x10000;
  put_unit(to, 0xd800 + (rest >> 10U));
  put_unit(to, 0xdc00 + (rest & 0x3ffU));
}

}  // namespace

void JsonWriter::open(char bracket) {
  separate();
  text_ += bracket;
}

/// After what opens a list or an object, or a key, there is nothing to separate from. A text ends in a quote.
void JsonWriter::separate() {
  if (text_.empty()) return;
  const char last = text_.back();
  if (last != '{' && last != '[' && last != ':') text_ += ',';
}

void JsonWriter::key(std::string_view name) {
  separate();
  put_quoted(name);
  text_ += ':';
}

void JsonWriter::value(std::string_view text) {
  separate();
  put_quoted(text);
}

void JsonWriter::value(std::uint64_t number) {
  separate();
  text_ += std::to_string(number);
}

void JsonWriter::null() {
  separate();
  text_ += "null";
}

void JsonWriter::put_quoted(std::string_view text) {
  text_ += '"';
  while (!text.empty()) {
    const config::CodePoint point = config::decode_code_point(text.substr(0, 4));
    const std::string_view bytes = text.substr(0, point.size);
    text.remove_prefix(point.size);
    if (!point.valid) {
      put_escape(text_, 0xfffd);
    } else if (point.value == '"' || point.value == '\\') {
      text_ += '\\';
      text_ += bytes;
    } else if (config::visible(point, bytes) != bytes) {
      put_escape(text_, point.value);
    } else {
      text_ += bytes;
    }
  }
  text_ += '"';
}

}  // namespace trivet::host
