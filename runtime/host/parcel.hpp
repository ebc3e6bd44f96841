#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/process/channel.hpp"

namespace trivet::host {

/// A connection on its way from one worker to another (Word::hand, Word::take); its descriptor travels beside
/// it. Nothing of it is open in the worker that gives it away.
struct Parcel {
  std::string listener;  ///< The name of the [[listen]] that it came in by.
  std::string payload;   ///< Bytes that were read from it and belong to requests that nobody has begun.

  static constexpr std::size_t most_payload = 16 * 1024;
  /// What it takes of a message's text.
  [[nodiscard]] std::size_t packed_size() const noexcept;
};
static_assert(Parcel::most_payload <= process::Channel::most_text / 2);

/// For a message's text: at most Channel::most_text bytes and Channel::most_descriptors parcels fit.
[[nodiscard]] std::string pack(const std::vector<Parcel>& parcels);
/// Nothing where it is not what pack() made.
[[nodiscard]] std::optional<std::vector<Parcel>> unpack_parcels(std::string_view text);

}  // namespace trivet::host
