#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trivet::host {

/// What a worker is told first (Word::start).
struct Start {
  std::uint32_t slot = 0;        ///< Of the board.
  std::uint32_t generation = 0;  ///< Counts from 1.
  std::uint32_t number = 0;      ///< Which of its generation's workers: 0 up to `processes`.

  /// Which descriptor of the message is which.
  enum Descriptor : std::size_t {
    snapshot,     ///< The packed config::Snapshot, sealed.
    statistics,   ///< The generation's process::Statistics; `number` is the row.
    descriptors,  ///< How many are always there. The zones follow, in the order of the configuration.
  };
};

[[nodiscard]] std::string pack(const Start& start);
/// Nothing where another version wrote it.
[[nodiscard]] std::optional<Start> read_start(std::string_view text);

}  // namespace trivet::host
