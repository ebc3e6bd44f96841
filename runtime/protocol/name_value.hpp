#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/base/bytes.hpp"

namespace trivet::protocol {

/// One name-value pair (FastCGI 1.0, 3.4): views into the bytes it was decoded from.
struct Pair {
  std::string_view name;
  std::string_view value;

  friend bool operator==(const Pair&, const Pair&) = default;
};

/// Reads the pairs of a complete PARAMS stream or management record, one by one, copying nothing.
///
///   for (PairReader reader(bytes); auto pair = reader.next();) ...
///   if (reader.broken()) ...
///
/// Memory  None: a length is compared with what is left before anything is done with it.
/// Errors  A pair cut short or longer than what is left: next() gives nothing and broken() is true.
class PairReader {
 public:
  explicit PairReader(base::Bytes bytes) noexcept
      : at_(base::as_text(bytes).data()), end_(at_ + bytes.size()) {}

  [[nodiscard]] std::optional<Pair> next() noexcept {
    constexpr std::ptrdiff_t short_lengths = 2;
    if (end_ - at_ >= short_lengths) {  // Nearly every pair has two of one byte.
      const auto name = static_cast<unsigned char>(at_[0]);
      const auto value = static_cast<unsigned char>(at_[1]);
      const char* const text = at_ + short_lengths;
      if ((name | value) < 0x80 && name + value <= end_ - text) {
        zeros_ += (name == 0 ? 1U : 0U) + (value == 0 ? 1U : 0U);
        at_ = text + name + value;
        return Pair{{text, name}, {text + name, value}};
      }
    }
    if (at_ == end_) return std::nullopt;
    const Long read = read_of_any_length(at_, end_);
    broken_ = read.end == nullptr;
    at_ = broken_ ? end_ : read.end;
    zeros_ += read.zeros;
    if (broken_) return std::nullopt;
    return read.pair;
  }
  [[nodiscard]] bool broken() const noexcept { return broken_; }
  /// How many of the lengths' bytes read so far are zero: as many as the bytes have, or a name or a value has
  /// a NUL.
  [[nodiscard]] std::size_t zeros_in_lengths() const noexcept { return zeros_; }

 private:
  struct Long {
    Pair pair;
    const char* end;  ///< Behind it; null where it is cut short.
    std::size_t zeros;
  };
  /// Not of this object, which then can be kept in registers.
  [[nodiscard]] static Long read_of_any_length(const char* at, const char* end) noexcept;

  const char* at_;
  const char* end_;
  std::size_t zeros_ = 0;
  bool broken_ = false;
};

}  // namespace trivet::protocol
