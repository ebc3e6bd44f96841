#pragma once

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
  explicit PairReader(base::Bytes bytes) noexcept : rest_(bytes) {}

  [[nodiscard]] std::optional<Pair> next() noexcept;
  [[nodiscard]] bool broken() const noexcept { return broken_; }

 private:
  [[nodiscard]] std::optional<std::uint32_t> length() noexcept;

  base::Bytes rest_;
  bool broken_ = false;
};

}  // namespace trivet::protocol
