#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "runtime/log/log.hpp"

namespace trivet::log {

/// `info`, as in the configuration.
[[nodiscard]] std::string_view name_of(Level level) noexcept;

/// The name of a field, where it is written down: small letters and _, and none of time, level, text and cut.
template <std::size_t size>
struct FieldName {
  consteval FieldName(const char (&name)[size]) {  // NOLINT(*-avoid-c-arrays, *-explicit-*)
    std::copy_n(name, size, bytes.begin());
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {bytes.data(), size - 1}; }

  std::array<char, size> bytes{};
};

/// Writes one event as one line to where it is to stand, field by field.
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
/// Lifetime  What it writes to outlives it.
/// Memory    `capacity` bytes with the line end. A longer line is cut within a value and says so: ` [cut]`,
///           or "cut":true; JSON stays complete.
class LineBuilder {
 public:
  static constexpr std::size_t capacity = 8192;

  /// `room` has `capacity` bytes. An empty `time` is left out.
  LineBuilder(char* room, Settings::Format format, std::string_view time, Level level,
              std::string_view text) noexcept;
  /// Goes on behind what another one of the same format has written there: `begun` bytes.
  LineBuilder(char* room, Settings::Format format, std::size_t begun) noexcept
      : begin_(room),
        end_(room + begun),
        limit_(room + capacity - kept_for_end),
        json_(format == Settings::Format::json) {}

  void field(std::string_view name, std::string_view value) noexcept;

  // The same for lines of which there are many. The name is written down.
  template <FieldName name>
  void text(std::string_view value) noexcept {
    if (begin<name>(0)) {
      put_value(value);
    } else {
      field(name.view(), value);
    }
  }
  /// A value that stands bare in text: none of its bytes is looked at.
  template <FieldName name>
  void word(std::string_view value) noexcept {
    if (begin<name>(value.size())) {
      put_end(value);
      end_value();
    } else {
      field(name.view(), value);
    }
  }
  template <FieldName name>
  void number(std::uint64_t value) noexcept {
    digits<name>([value](char* at) { return write_number(at, value); });
  }
  /// With three decimals.
  template <FieldName name>
  void milliseconds(std::uint64_t microseconds) noexcept {
    digits<name>([microseconds](char* at) { return write_milliseconds(at, microseconds); });
  }

  /// How much stands there.
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - begin_); }
  /// Ends the line: all of it.
  [[nodiscard]] std::string_view finish() noexcept;

 private:
  static constexpr std::size_t kept_for_end = 32;
  static constexpr std::size_t most_digits = 24;

  /// What stands before a value.
  struct Opening {
    consteval Opening(std::string_view before, std::string_view name, std::string_view after) {
      for (const std::string_view each : {before, name, after}) {
        for (const char c : each) bytes.at(size++) = c;
      }
    }
    std::array<char, 16> bytes{};
    std::size_t size = 0;
  };

  [[nodiscard]] std::size_t room() const noexcept {
    // A closing quote may stand in what is kept for the end already.
    return end_ < limit_ ? static_cast<std::size_t>(limit_ - end_) : 0;
  }
  /// Up to the value; false, and nothing is written, where there is no room for that and `more`.
  template <FieldName name>
  [[nodiscard]] bool begin(std::size_t more) noexcept {
    static constexpr Opening text(" ", name.view(), "=");
    static constexpr Opening json(",\"", name.view(), "\":\"");
    // All bytes of it are copied, whatever is needed of them: a copy of a fixed size is cheap.
    if (limit_ - end_ < static_cast<std::ptrdiff_t>(sizeof(text.bytes) + more)) return false;
    // In each case by itself, so that bytes and size are constants.
    if (json_) {
      std::memcpy(end_, json.bytes.data(), sizeof(json.bytes));
      end_ += json.size;
    } else {
      std::memcpy(end_, text.bytes.data(), sizeof(text.bytes));
      end_ += text.size;
    }
    return true;
  }
  void end_value() noexcept {
    if (json_) *end_++ = '"';
  }
  /// `write` gives the end of what it wrote, at most `most_digits` on.
  template <FieldName name, class Write>
  void digits(Write&& write) noexcept {
    if (begin<name>(most_digits)) {
      end_ = write(end_);
      end_value();
    } else {
      std::array<char, most_digits> written;
      char* const first = written.data();
      field(name.view(), {first, static_cast<std::size_t>(write(first) - first)});
    }
  }
  static char* write_digit(char* at, std::uint64_t value) noexcept {
    *at = static_cast<char>('0' + value);
    return at + 1;
  }
  /// Of 0 to 99.
  static char* write_two_digits(char* at, std::uint64_t value) noexcept {
    static constexpr auto pairs = [] {
      std::array<std::array<char, 2>, 100> all{};
      for (unsigned i = 0; i < all.size(); ++i)
        all.at(i) = {static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10)};
      return all;
    }();
    std::memcpy(at, pairs[value].data(), 2);
    return at + 2;
  }
  static char* write_number(char* at, std::uint64_t value) noexcept {
    if (value < 10) return write_digit(at, value);
    if (value >= 1000) return write_long_number(at, value);
    if (value >= 100) at = write_digit(at, value / 100);
    return write_two_digits(at, value % 100);
  }
  static char* write_milliseconds(char* at, std::uint64_t microseconds) noexcept {
    at = write_number(at, microseconds / 1000);
    const std::uint64_t rest = microseconds % 1000;
    *at++ = '.';
    return write_two_digits(write_digit(at, rest / 100), rest % 100);
  }
  static char* write_long_number(char* at, std::uint64_t value) noexcept;

  void put_value(std::string_view value) noexcept;
  /// All or nothing; what does not fit before the last bytes, which are kept for the end, cuts the line.
  void put(std::string_view piece) noexcept;
  void put_escaped(std::string_view value) noexcept;
  void put_json_begin(std::string_view name) noexcept;
  /// What there is room for in any case.
  void put_end(std::string_view piece) noexcept {
    if (piece.empty()) return;  // It may have no address.
    std::memcpy(end_, piece.data(), piece.size());
    end_ += piece.size();
  }
  void cut() noexcept {
    cut_ = true;
    limit_ = begin_;
  }

  char* const begin_;
  char* end_;
  char* limit_;
  const bool json_;
  bool cut_ = false;
};

}  // namespace trivet::log
