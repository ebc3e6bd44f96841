#pragma once

#include <cstdio>
#include <cstdlib>

namespace trivet::model {

/// A property that does not hold ends the process: whoever drives it then keeps the input or the seed.
inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "PROPERTY: %s\n", property);
  std::abort();
}

}  // namespace trivet::model
