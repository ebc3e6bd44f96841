#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "runtime/log/log.hpp"

namespace trivet::log {

/// `info`, as in the configuration.
[[nodiscard]] std::string_view name_of(Level level) noexcept;

/// One event as one line, built in place. Private to this floor.
///
///   text  2026-11-23T09:15:27.123Z info  request refused route=docs reason="no \"x\" match"
///   json  {"time":"2026-11-23T09:15:27.123Z","level":"info","text":"request refused","route":"docs"}
///
/// In text, a value of letters, digits and -_.,:/@%+ stands bare, any other in quotes; quotes and backslashes
/// get a backslash. In both formats the bytes that end lines or steer terminals (control characters, those of
/// Unicode included, and marks that turn the direction of writing) and bytes that are not UTF-8 are written
/// as
/// \xNN; so a JSON string holds `\\xNN` for them.
///
/// Memory  `capacity` bytes with the line end. A longer line is cut within a value and says so: ` [cut]`, or
///         "cut":true; JSON stays complete.
class Line {
 public:
  static constexpr std::size_t capacity = 8192;
  /// Where the time stands already, or varies too much for a test.
  enum class Time : bool { absent, present };

  Line(Settings::Format format, Time time, Level level, std::string_view text,
       std::initializer_list<Field> fields) noexcept;

  /// With the line end.
  [[nodiscard]] std::string_view with_end() const noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] std::string_view without_end() const noexcept { return {bytes_.data(), size_ - 1}; }

 private:
  void write_text(Time time, Level level, std::string_view text,
                  std::initializer_list<Field> fields) noexcept;
  void write_json(Time time, Level level, std::string_view text,
                  std::initializer_list<Field> fields) noexcept;
  void put_time() noexcept;
  /// All or nothing; what does not fit before the last bytes, which are kept for the end, cuts the line.
  void put(std::string_view piece) noexcept;
  void put_escaped(std::string_view value) noexcept;
  void put_text_value(std::string_view value) noexcept;
  void put_json_member(std::string_view name, std::string_view value) noexcept;
  void put_end(std::string_view piece) noexcept;
  /// A closing quote may stand in what is kept for the end already.
  [[nodiscard]] std::size_t room() const noexcept {
    return size_ < capacity - kept_for_end ? capacity - kept_for_end - size_ : 0;
  }

  static constexpr std::size_t kept_for_end = 32;
  std::array<char, capacity> bytes_;
  std::size_t size_ = 0;
  const bool json_;
  bool cut_ = false;
};

}  // namespace trivet::log
