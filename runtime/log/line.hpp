#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "runtime/log/line_builder.hpp"

namespace trivet::log {

/// One event as one line, as LineBuilder writes it, with the memory it stands in. Private to this floor.
class Line {
 public:
  static constexpr std::size_t capacity = LineBuilder::capacity;
  /// Where the time stands already, or varies too much for a test.
  enum class Time : bool { absent, present };

  Line(Settings::Format format, Time time, Level level, std::string_view text,
       std::initializer_list<Field> fields) noexcept;

  /// With the line end.
  [[nodiscard]] std::string_view with_end() const noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] std::string_view without_end() const noexcept { return {bytes_.data(), size_ - 1}; }

 private:
  std::array<char, capacity> bytes_;
  std::size_t size_;
};

}  // namespace trivet::log
