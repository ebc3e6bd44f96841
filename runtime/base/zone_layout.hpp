#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace trivet::base {

/// How a zone's memory is divided: a header, counters, and sets of entries. Two zones with the same layout
/// can be taken for each other.
///
/// An entry takes 32 bytes and its key and value, each in whole words; a third more is kept free for those
/// that are being written.
struct ZoneLayout {
  std::uint64_t size = 1U << 20U;  ///< Of everything, in bytes.
  std::uint32_t key_bytes = 64;    ///< The longest key.
  std::uint32_t value_bytes = 64;  ///< The longest value.
  std::uint32_t counters = 64;

  friend bool operator==(const ZoneLayout&, const ZoneLayout&) = default;
  friend auto operator<=>(const ZoneLayout&, const ZoneLayout&) = default;

  static constexpr std::size_t header_size = 128;
  static constexpr std::size_t set_head_size = 320;
  static constexpr std::uint32_t records = 16;  ///< In a set.
  static constexpr std::uint32_t most_live = 12;
  static constexpr std::size_t record_head_words = 4;

  [[nodiscard]] static constexpr std::size_t words(std::size_t bytes) noexcept { return (bytes + 7) / 8; }
  [[nodiscard]] constexpr std::size_t record_words() const noexcept {
    return record_head_words + words(key_bytes) + words(value_bytes);
  }
  /// A whole number of cache lines.
  [[nodiscard]] constexpr std::size_t set_size() const noexcept {
    return set_head_size + records * record_words() * 8;
  }
  [[nodiscard]] constexpr std::size_t first_set() const noexcept {
    return header_size + (std::size_t{counters} * 16 + 63) / 64 * 64;
  }
  [[nodiscard]] constexpr std::uint64_t sets() const noexcept {
    return size <= first_set() ? 0 : (size - first_set()) / set_size();
  }
  /// How many entries there can be. As keys spread unevenly, some sets are full before all are.
  [[nodiscard]] constexpr std::uint64_t entries() const noexcept { return sets() * most_live; }
  /// The smallest size that holds a set.
  [[nodiscard]] constexpr std::uint64_t least_size() const noexcept { return first_set() + set_size(); }
};

}  // namespace trivet::base
