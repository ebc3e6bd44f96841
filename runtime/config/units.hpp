#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trivet::config {

/// `"64KiB"`: digits and B, KiB, MiB or GiB. What does not fit into 63 bits gives the largest number that
/// does, which no range admits.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;
/// In the largest unit that needs no fraction.
[[nodiscard]] std::string format_size(std::uint64_t bytes);
/// What was probably meant by something that parse_size() refuses: `64k` and `64 KB` are 64KiB.
[[nodiscard]] std::optional<std::string> guess_size(std::string_view text);

/// `"250ms"`: digits and ms, s, m or h. Out of 63 bits as for sizes.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept;
[[nodiscard]] std::string format_duration(std::chrono::milliseconds time);
/// `5sec`, `5 s` and `5S` are 5s.
[[nodiscard]] std::optional<std::string> guess_duration(std::string_view text);

/// `"0660"`: permission bits, octal, three digits with or without a leading zero.
[[nodiscard]] std::optional<std::uint32_t> parse_mode(std::string_view text) noexcept;

}  // namespace trivet::config
