#pragma once

#include <array>
#include <cstdint>

#include "runtime/process/zone.hpp"

// What the memory of a zone is made of; for zone.cpp and zone_table.cpp alone. Everything that processes
// share is read and written as atomic words: a value that is overwritten while it is read is thrown away, but
// reading it has to be defined.
namespace trivet::process {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

/// Of one operation; each but the last found that another one had succeeded, or waited for a free record.
inline constexpr unsigned most_zone_tries = 50'000;

struct Zone::Header {
  std::uint64_t magic = 0x656e6f7a74767274;  // "trvtzone"
  std::uint32_t version = 1;
  std::uint32_t key_bytes = 0;
  std::uint32_t value_bytes = 0;
  std::uint32_t counters = 0;
  std::uint64_t size = 0;
  std::array<std::uint64_t, 2> seed{};
  Word sessions{};  ///< How many there were.
};

struct Zone::Counter {
  Word name;  ///< Its hash; 0: free.
  std::atomic<std::int64_t> value;
};

struct alignas(64) Zone::Set {
  Word word;
  std::array<Word, 7> unused;
  std::array<Word, ZoneLayout::records> claims;  ///< The session that writes there; 0: none.
  std::array<Word, ZoneLayout::records> hashes;
};

}  // namespace trivet::process
