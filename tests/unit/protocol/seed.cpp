#include "tests/unit/protocol/seed.hpp"

#include <cstdlib>
#include <iostream>
#include <random>

namespace trivet::protocol {

unsigned test_seed() {
  const char* const given = std::getenv("TRIVET_TEST_SEED");
  const unsigned seed =
      given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
  std::cout << "TRIVET_TEST_SEED=" << seed << '\n' << std::flush;
  return seed;
}

}  // namespace trivet::protocol
