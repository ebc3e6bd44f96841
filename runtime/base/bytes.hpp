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

/// How many of them are zero. In runs that a byte can count: compilers look at 16 and more at a time.
[[nodiscard]] inline std::size_t count_zeros(Bytes bytes) noexcept {
  constexpr std::size_t longest = 240;
  std::size_t zeros = 0;
  while (!bytes.empty()) {
    const Bytes run = bytes.first(bytes.size() < longest ? bytes.size() : longest);
    std::uint8_t of_run = 0;
    for (const std::uint8_t byte : run) of_run = static_cast<std::uint8_t>(of_run + (byte == 0 ? 1 : 0));
    zeros += of_run;
    bytes = bytes.subspan(run.size());
  }
  return zeros;
}

}  // namespace trivet::base
