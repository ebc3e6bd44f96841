// Whole connections: a script of what web servers do drives the host without sockets
// (tests/unit/host/harness.hpp), and a model of the peer judges every record that comes back.

#include "tests/fuzz/property.hpp"
#include "tests/fuzz/scenario.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  trivet::fuzz::Scenario scenario;
  scenario.run(trivet::fuzz::Script({data, size}));
  scenario.finish();
  return 0;
}
