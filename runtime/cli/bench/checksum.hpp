#pragma once

#include <cstdint>

#include "runtime/base/bytes.hpp"

namespace trivet::cli::bench {

/// CRC-32C of bytes that come in pieces: two answers with the same are taken for the same.
class Checksum {
 public:
  void add(base::Bytes bytes) noexcept;
  [[nodiscard]] std::uint32_t value() const noexcept { return ~state_; }

 private:
  std::uint32_t state_ = 0xffffffff;
};

/// What add() computes where the processor has no instruction for it.
[[nodiscard]] std::uint32_t portable_crc32c(std::uint32_t state, base::Bytes bytes) noexcept;

}  // namespace trivet::cli::bench
