#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "runtime/base/bytes.hpp"
#include "runtime/base/pair.hpp"

namespace trivet::protocol {

/// One name-value pair (FastCGI 1.0, 3.4): views into the bytes it was decoded from.
using base::Pair;

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
    Pair pair;
    if (next({&pair, 1}) == 0) return std::nullopt;
    return pair;
  }
  /// As many as there is room for; how many. Less than that: there are no more, or broken().
  [[nodiscard]] std::size_t next(std::span<Pair> into) noexcept;
  [[nodiscard]] bool broken() const noexcept { return broken_; }
  /// How many of the lengths' bytes read so far are zero: as many as the bytes have, or a name or a value has
  /// a NUL.
  [[nodiscard]] std::size_t zeros_in_lengths() const noexcept { return zeros_; }

 private:
  const char* at_;
  const char* end_;
  std::size_t zeros_ = 0;
  bool broken_ = false;
};

}  // namespace trivet::protocol
