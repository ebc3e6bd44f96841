#include "tests/simulation/weather.hpp"

namespace trivet::simulation {

using host::testing::Fault;

namespace {
constexpr unsigned blocks[] = {0, 30, 300};
constexpr unsigned is_short[] = {0, 100, 600};
constexpr unsigned breaks[] = {0, 0, 3, 20};
}  // namespace

Weather::Weather(Random& random) noexcept
    : random_(random),
      blocks_(random.pick(blocks)),
      is_short_(random.pick(is_short)),
      breaks_(random.pick(breaks)) {}

Fault Weather::on_read() noexcept { return draw(true); }
Fault Weather::on_write() noexcept { return draw(false); }

Fault Weather::draw(bool reads) noexcept {
  Fault fault;
  if (is_clear_) return fault;
  if (random_.chance(breaks_)) {
    fault.kind = reads && random_.chance(500) ? Fault::Kind::end : Fault::Kind::failed;
  } else if (random_.chance(blocks_)) {
    fault.kind = Fault::Kind::would_block;
  } else if (random_.chance(is_short_)) {
    constexpr std::size_t sizes[] = {1, 7, 8, 9, 100, 1000, 5000};
    fault.most = random_.pick(sizes);
  } else {
    return fault;
  }
  ++faults_;
  return fault;
}

}  // namespace trivet::simulation
