#pragma once

namespace trivet::protocol {

/// A new seed each time, printed; TRIVET_TEST_SEED in the environment repeats a run.
unsigned test_seed();

}  // namespace trivet::protocol
