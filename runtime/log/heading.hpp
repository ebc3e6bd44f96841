#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "runtime/base/clock.hpp"
#include "runtime/log/line_builder.hpp"

namespace trivet::log {

/// What lines that tell of one event begin with: the time, the level `info`, the text. It is put together
/// once a second; within that only the milliseconds change. Private to this floor.
///
/// Thread  One at a time.
class Heading {
 public:
  /// `text` is short: at most 32 bytes.
  Heading(Settings::Format format, std::string_view text) noexcept : format_(format), text_(text) {}

  /// A line of the time `now`, of which that much stands. The wall clock is looked at once a second.
  [[nodiscard]] LineBuilder begin(char* room, base::TimePoint now) noexcept;

 private:
  void renew(base::TimePoint now) noexcept;

  /// As much is copied, or twice that, whatever is needed of it: a copy of a fixed size is cheap.
  static constexpr std::size_t copied = 48;
  static constexpr std::size_t longest = 2 * copied;

  base::TimePoint second_{};  ///< When the one that it was made for began.
  std::size_t size_ = 0;      ///< 0: not yet.
  const Settings::Format format_;
  std::array<char, longest> bytes_{};
  const std::string_view text_;
};

}  // namespace trivet::log
