#include "runtime/cli/bench/checksum.hpp"

#include <array>
#include <cstddef>
#include <cstring>

namespace trivet::cli::bench {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78;  // Castagnoli's, bits reversed.
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

/// tables[k][b]: what the byte b does to the state, k more bytes later.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t state = byte;
    for (int bit = 0; bit < 8; ++bit) state = (state & 1U) != 0 ? polynomial ^ (state >> 1U) : state >> 1U;
    tables[0][byte] = state;
  }
  for (std::size_t later = 1; later < tables.size(); ++later) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[later - 1][byte];
      tables[later][byte] = (before >> 8U) ^ tables[0][before & 0xffU];
    }
  }
  return tables;
}

constexpr Tables tables = make_tables();

#ifdef __x86_64__
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::uint32_t state,
                                                               base::Bytes bytes) noexcept {
  std::uint64_t wide = state;
  while (bytes.size() >= sizeof wide) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
    bytes = bytes.subspan(sizeof word);
  }
  state = static_cast<std::uint32_t>(wide);
  for (const std::uint8_t byte : bytes) state = __builtin_ia32_crc32qi(state, byte);
  return state;
}

const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
#endif

}  // namespace

std::uint32_t portable_crc32c(std::uint32_t state, base::Bytes bytes) noexcept {
  while (bytes.size() >= tables.size()) {
    std::uint32_t next = 0;
    for (std::size_t at = 0; at < tables.size(); ++at) {
      const std::uint32_t mixed = at < 4 ? bytes[at] ^ ((state >> (8 * at)) & 0xffU) : bytes[at];
      next ^= tables[tables.size() - 1 - at][mixed];
    }
    state = next;
    bytes = bytes.subspan(tables.size());
  }
  for (const std::uint8_t byte : bytes) state = (state >> 8U) ^ tables[0][(state ^ byte) & 0xffU];
  return state;
}

void Checksum::add(base::Bytes bytes) noexcept {
#ifdef __x86_64__
  if (has_instruction) {
    state_ = by_instruction(state_, bytes);
    return;
  }
#endif
  state_ = portable_crc32c(state_, bytes);
}

}  // namespace trivet::cli::bench
