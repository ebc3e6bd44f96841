#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace trivet::base {

inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// The bounds of one worker: `[limits]`, with their defaults. Sizes in bytes; an absent time is "off".
struct Limits {
  std::size_t connections = 20000;
  std::size_t concurrent_per_connection = 1024;
  std::size_t params_bytes = 256 * 1024;
  std::size_t params_count = 1024;
  std::uint64_t body_bytes = 1ULL << 30U;
  std::uint64_t data_bytes = unlimited;
  std::size_t window = 64 * 1024;
  std::size_t head_bytes = 7000;
  std::size_t head_fields = 90;
  std::size_t spool_memory = 256 * 1024;
  std::uint64_t spool_bytes = 1ULL << 30U;
  std::uint64_t drain_bytes = 64ULL << 20U;
  std::size_t disk_threads = 4;  ///< For what is not in the system's memory.
  std::size_t disk_queue = 1024;
  std::optional<std::chrono::milliseconds> header_time = std::chrono::seconds(5);
  std::optional<std::chrono::milliseconds> stall_time = std::chrono::seconds(60);
  std::optional<std::chrono::milliseconds> idle_time;
};

}  // namespace trivet::base
