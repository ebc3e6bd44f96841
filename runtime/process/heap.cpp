#include "runtime/process/heap.hpp"

#include <malloc.h>

namespace trivet::process {

void keep_freed_memory() noexcept {
  constexpr int bound = 1 << 20;
  ::mallopt(M_MMAP_THRESHOLD, bound);
  ::mallopt(M_TRIM_THRESHOLD, 2 * bound);
}

}  // namespace trivet::process
