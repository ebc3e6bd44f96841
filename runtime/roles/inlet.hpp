#pragma once

#include <cstdint>
#include <optional>

#include "runtime/plugin/call.hpp"
#include "runtime/roles/input_queue.hpp"

namespace trivet::roles {

/// One input stream of a request, FCGI_STDIN or FCGI_DATA: what was announced, what came, what waits.
///
/// Only the empty record ends a stream; the announced length is compared with what came: `complete`, `short`,
/// `long` (FastCGI 1.0, 6.2 and 6.4). Surplus bytes are dropped.
///
/// Thread  [loop].
struct Inlet {
  InputQueue queue;
  std::optional<std::uint64_t> announced;
  std::uint64_t received = 0;
  std::uint64_t limit = 0;
  bool surplus = false;
  bool ended = false;
  bool wanted = false;    ///< Some stage takes it; otherwise it is counted and dropped.
  bool end_told = false;  ///< The end was passed on.

  void reset() noexcept {
    queue.clear();
    announced.reset();
    received = limit = 0;
    surplus = ended = wanted = end_told = false;
  }
  /// How much is to come, of which some may have come: then what is more of it is surplus already.
  void announce(std::optional<std::uint64_t> length) noexcept {
    announced = length;
    if (!length || received <= *length) return;
    surplus = true;
    queue.cut(*length);
  }
  /// Counts `bytes` and gives the part of them that is not surplus.
  [[nodiscard]] base::Bytes count(base::Bytes bytes) noexcept {
    const std::uint64_t room = announced && *announced > received ? *announced - received : 0;
    received += bytes.size();
    if (!announced || bytes.size() <= room) return bytes;
    surplus = true;
    return bytes.first(static_cast<std::size_t>(room));
  }
  [[nodiscard]] bool over_limit() const noexcept {
    return received > limit || (announced && *announced > limit);
  }
  [[nodiscard]] trivet_end end() const noexcept {
    if (announced && received < *announced) return TRIVET_END_SHORT;
    return surplus ? TRIVET_END_LONG : TRIVET_END_COMPLETE;
  }
};

}  // namespace trivet::roles
