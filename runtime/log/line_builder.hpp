#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include "runtime/log/digits.hpp"
#include "runtime/log/fields.hpp"
#include "runtime/log/log.hpp"
#include "runtime/log/meaning.hpp"

namespace trivet::log {

/// `info`, as in the configuration.
[[nodiscard]] std::string_view name_of(Level level) noexcept;

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

  /// The same of many, by one look at the room there is, and only of those that have a value: how a line is
  /// written of which there are many.
  template <class... Fields>
  [[gnu::always_inline]] void fields(const Fields&... all) noexcept {  // So that no field stands in memory.
    if ((most_of(all) + ...) > room()) {
      fields_within(all...);
      return;
    }
    // The next byte is a variable of its own, for the compiler to keep in a register.
    char* at = end_;
    if (json_) {
      ((at = put<true>(at, all)), ...);
    } else {
      ((at = put<false>(at, all)), ...);
    }
    end_ = at;
  }

  /// How much stands there.
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - begin_); }
  /// Ends the line: all of it.
  [[nodiscard]] std::string_view finish() noexcept {
    if (cut_) put_end(json_ ? ",\"cut\":true" : " [cut]");
    if (json_) *end_++ = '}';
    *end_++ = '\n';
    return {begin_, size()};
  }

 private:
  static constexpr std::size_t kept_for_end = 32;

  /// What is known before there is a line. A word of it is copied, or two, or four, whatever is needed of
  /// them: a copy of a fixed size is cheap.
  struct Piece {
    consteval Piece(std::initializer_list<std::string_view> parts) {
      for (const std::string_view each : parts) {
        for (const char c : each) bytes.at(size++) = c;
      }
      while (copied < size) copied *= 2;
    }
    std::array<char, 32> bytes{};
    std::size_t size = 0;
    std::size_t copied = 8;
  };
  template <bool json, FieldName name>
  [[nodiscard]] static char* open(char* at) noexcept {
    static constexpr Piece piece({json ? ",\"" : " ", name.view(), json ? "\":\"" : "="});
    static_assert(piece.copied <= most_opened);
    std::memcpy(at, piece.bytes.data(), piece.copied);
    return at + piece.size;
  }
  /// What stands behind one whose quotes are only those of the format.
  template <bool json>
  [[nodiscard]] static char* close(char* at) noexcept {
    if (json) *at++ = '"';
    return at;
  }

  /// As many bytes as a field may become, however its value is escaped.
  static constexpr std::size_t most_opened = 16;
  static constexpr std::size_t most_around = most_opened + 2;
  static constexpr std::size_t most_of_a_byte = 5;
  template <FieldName name>
  [[nodiscard]] static std::size_t most_of(const Text<name>& field) noexcept {
    return most_around + most_of_a_byte * field.value.size();
  }
  template <FieldName name>
  [[nodiscard]] static constexpr std::size_t most_of(const Number<name>& /*field*/) noexcept {
    return most_around + most_digits;
  }
  template <FieldName name, FieldName... values>
  [[nodiscard]] static constexpr std::size_t most_of(const OneOf<name, values...>& /*field*/) noexcept {
    return sizeof(Piece::bytes);
  }

  // Where there is room for certain.
  template <bool json, FieldName name>
  [[nodiscard]] char* put(char* at, const Text<name>& field) noexcept {
    if (field.value.empty()) return at;
    at = open<json, name>(at);
    return field.is_bare ? close<json>(copied(at, field.value)) : put_text<json>(at, field.value);
  }
  template <bool json, FieldName name>
  [[nodiscard]] char* put(char* at, const Number<name>& field) noexcept {
    return field.value ? close<json>(write_number(open<json, name>(at), *field.value)) : at;
  }
  template <bool json, FieldName name, FieldName value>
  [[nodiscard]] static char* put_piece(char* at) noexcept {
    if constexpr (value.view().empty()) {
      return at;
    } else {
      static_assert(stands_bare(value.view()));
      static constexpr Piece piece(
          {json ? ",\"" : " ", name.view(), json ? "\":\"" : "=", value.view(), json ? "\"" : ""});
      std::memcpy(at, piece.bytes.data(), piece.copied);
      return at + piece.size;
    }
  }
  template <bool json, FieldName name, FieldName... values>
  [[nodiscard]] char* put(char* at, const OneOf<name, values...>& field) noexcept {
    std::size_t index = 0;
    static_cast<void>(((field.index == index++ && (at = put_piece<json, name, values>(at), true)) || ...));
    return at;
  }

  // Where the line may end within them.
  template <class... Fields>
  [[gnu::noinline, gnu::cold]] void fields_within(Fields... all) noexcept {
    (field_of(all), ...);
  }
  template <FieldName name>
  void field_of(const Text<name>& each) noexcept {
    if (!each.value.empty()) field(name.view(), each.value);
  }
  template <FieldName name, FieldName... values>
  void field_of(const OneOf<name, values...>& each) noexcept {
    constexpr std::array all = {values.view()...};
    if (!all[each.index].empty()) field(name.view(), all[each.index]);
  }
  template <FieldName name>
  void field_of(const Number<name>& each) noexcept {
    if (!each.value) return;
    std::array<char, most_digits> digits;
    char* const first = digits.data();
    field(name.view(), {first, static_cast<std::size_t>(write_number(first, *each.value) - first)});
  }

  /// Without a call: most values are shorter than what one costs.
  [[nodiscard]] static char* copied(char* at, std::string_view value) noexcept {
    const char* const from = value.data();
    const std::size_t size = value.size();
    constexpr std::size_t block = 16;
    const auto ends = [=]<std::size_t half>(std::array<char, half> /*of*/) {
      std::memcpy(at, from, half);
      std::memcpy(at + size - half, from + size - half, half);
    };
    if (size >= block) {
      for (std::size_t i = block; i < size - block; i += block) std::memcpy(at + i, from + i, block);
      ends(std::array<char, block>());
    } else if (size >= 8) {
      ends(std::array<char, 8>());
    } else if (size >= 4) {
      ends(std::array<char, 4>());
    } else {
      for (std::size_t i = 0; i < size; ++i) at[i] = from[i];
    }
    return at + size;
  }

  [[nodiscard]] std::size_t room() const noexcept {
    // A closing quote may stand in what is kept for the end already.
    return end_ < limit_ ? static_cast<std::size_t>(limit_ - end_) : 0;
  }
  template <bool json>
  [[nodiscard]] char* put_text(char* at, std::string_view value) noexcept;
  [[gnu::noinline, nodiscard]] char* put_special(char* at, std::string_view value) noexcept;
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
