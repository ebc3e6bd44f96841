#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace trivet::base {

/// Borrowed bytes: valid until the call they were passed to returns.
using Bytes = std::span<const std::uint8_t>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};  // NOLINT: char to byte view
}

[[nodiscard]] inline std::string_view as_text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT: byte to char view
}

/// How many of them are zero.
[[nodiscard]] std::size_t count_zeros(Bytes bytes) noexcept;

}  // namespace trivet::base
