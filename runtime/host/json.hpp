#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace trivet::host {

/// JSON, written from its beginning to its end; where a comma belongs it puts one.
///
/// Any text can be given: what would steer a terminal is escaped, so that it means the same and shows itself;
/// bytes that are not UTF-8 become U+FFFD, for JSON has no other place for them.
class JsonWriter {
 public:
  void begin_object() { open('{'); }
  void end_object() { text_ += '}'; }
  void begin_list() { open('['); }
  void end_list() { text_ += ']'; }
  /// Of the value that comes next.
  void key(std::string_view name);
  void value(std::string_view text);
  void value(std::uint64_t number);
  void null();

  void member(std::string_view name, std::string_view text) {
    key(name);
    value(text);
  }
  void member(std::string_view name, std::uint64_t number) {
    key(name);
    value(number);
  }

  [[nodiscard]] std::string take() noexcept { return std::move(text_); }

 private:
  void open(char bracket);
  void separate();
  void put_quoted(std::string_view text);

  std::string text_;
};

}  // namespace trivet::host
