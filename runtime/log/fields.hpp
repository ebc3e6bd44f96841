#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/base/clock.hpp"
#include "runtime/log/digits.hpp"

/// The fields of a line of which there are many: LineBuilder::fields() writes them.
namespace trivet::log {

/// The name of a field, where it is written down: small letters and _, and none of time, level, text and cut.
template <std::size_t size>
struct FieldName {
  consteval FieldName(const char (&name)[size]) {  // NOLINT(*-avoid-c-arrays, *-explicit-*)
    std::copy_n(name, size, bytes.begin());
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {bytes.data(), size - 1}; }

  std::array<char, size> bytes{};
};

template <FieldName field_name>
struct Text {
  std::string_view value;
  /// It is known to stand bare in text (stands_bare()): none of its bytes is looked at.
  bool is_bare = false;
};

/// Digits by `write()`: it gives the end of what it wrote, at most `most` bytes on.
template <FieldName field_name>
struct Number {
  static constexpr FieldName name = field_name;
  static constexpr std::size_t most = 20;

  [[nodiscard]] char* write(char* at) const noexcept { return value ? write_number(at, *value) : at; }

  std::optional<std::uint64_t> value;
};

/// From one time to another, with three decimals. Empty where one of them is unset; a time that goes back is
/// 0.
template <FieldName field_name>
struct Milliseconds {
  static constexpr FieldName name = field_name;
  static constexpr std::size_t most = 22;

  [[nodiscard]] char* write(char* at) const noexcept {
    if (from == base::TimePoint{} || to == base::TimePoint{}) return at;
    using Microseconds = std::chrono::duration<std::uint64_t, std::micro>;
    return write_thousandths(at,
                             to <= from ? 0 : std::chrono::duration_cast<Microseconds>(to - from).count());
  }

  base::TimePoint from;
  base::TimePoint to;
};

}  // namespace trivet::log
