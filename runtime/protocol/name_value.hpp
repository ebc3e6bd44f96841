#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "runtime/base/bytes.hpp"
#include "runtime/base/kept_names.hpp"
#include "runtime/base/pair.hpp"

namespace trivet::protocol {

/// One name-value pair (FastCGI 1.0, 3.4): views into the bytes it was decoded from.
using base::Pair;

/// Reads the pairs of a complete PARAMS stream or management record, one by one, copying nothing.
///
///   for (PairReader reader(bytes); auto pair = reader.next();) ...
///   if (reader.broken()) ...
///
/// Names that are expected are compared while they are read, which costs less than to do both; any other list
/// is read as if none were.
///
/// Lifetime  The names that are expected stay as they are until all is read.
/// Memory    None: a length is compared with what is left before anything is done with it.
/// Errors    A pair cut short or longer than what is left: next() gives nothing and broken() is true.
class PairReader {
 public:
  explicit PairReader(base::Bytes bytes, const base::KeptNames* expected = nullptr) noexcept
      : at_(base::as_text(bytes).data()),
        end_(at_ + bytes.size()),
        expected_(expected),
        expected_size_(expected == nullptr ? 0 : expected->size()) {}

  [[nodiscard]] std::optional<Pair> next() noexcept {
    Pair pair;
    if (next({&pair, 1}) == 0) return std::nullopt;
    return pair;
  }
  /// As many as there is room for; how many. Less than that: there are no more, or broken().
  [[nodiscard]] std::size_t next(std::span<Pair> into) noexcept;
  [[nodiscard]] bool broken() const noexcept { return broken_; }
  /// How many pairs at the beginning have the names that were expected there.
  [[nodiscard]] std::uint32_t as_expected() const noexcept { return as_expected_; }
  /// How many of the lengths' bytes read so far are zero: as many as the bytes have, or a name or a value has
  /// a NUL.
  [[nodiscard]] std::size_t zeros_in_lengths() const noexcept { return zeros_; }

 private:
  [[nodiscard]] Pair* read_expected(Pair* pair, const Pair* full) noexcept;
  [[nodiscard]] Pair* read_any(Pair* pair, const Pair* full) noexcept;

  const char* at_;
  const char* end_;
  const base::KeptNames* expected_;
  std::uint32_t as_expected_ = 0;
  std::uint32_t expected_size_;
  std::size_t zeros_ = 0;
  bool broken_ = false;
};

}  // namespace trivet::protocol
