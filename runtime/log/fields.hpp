#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/base/clock.hpp"

/// The fields of a line of which there are many: LineBuilder::fields() writes those that have a value.
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

/// One of the values that are written down: each of letters, digits and -_.,:/@%+, or empty, which is left
/// out. `index` is below their number.
template <FieldName field_name, FieldName... values>
struct OneOf {
  std::size_t index = 0;
};

template <FieldName field_name>
struct Number {
  std::optional<std::uint64_t> value;
};

/// From one time to another. Nothing where one of them is unset; a time that goes back is 0.
[[nodiscard]] inline std::optional<std::uint64_t> microseconds(base::TimePoint from,
                                                               base::TimePoint to) noexcept {
  if (from == base::TimePoint{} || to == base::TimePoint{}) return std::nullopt;
  using Microseconds = std::chrono::duration<std::uint64_t, std::micro>;
  return to <= from ? 0 : std::chrono::duration_cast<Microseconds>(to - from).count();
}

}  // namespace trivet::log
