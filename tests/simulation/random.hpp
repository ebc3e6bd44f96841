#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace trivet::simulation {

/// The one source of chance of a run (splitmix64): the same seed gives the same numbers everywhere, which the
/// distributions of <random> do not promise.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  /// 0 .. bound-1; `bound` is not 0.
  std::size_t below(std::size_t bound) noexcept { return static_cast<std::size_t>(next() % bound); }
  /// True that many times of a thousand.
  bool chance(unsigned per_thousand) noexcept { return below(1000) < per_thousand; }
  template <class Table>
  const auto& pick(const Table& table) noexcept {
    return table[below(std::size(table))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace trivet::simulation
