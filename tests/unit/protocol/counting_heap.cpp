#include "tests/unit/protocol/counting_heap.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

// In a file of its own: inlined beside their callers, the compiler takes malloc and delete for mismatched.

namespace {

std::atomic<std::size_t> allocated{0};
std::atomic<std::size_t> freed{0};

}  // namespace

namespace trivet::protocol::heap {

std::size_t allocations() noexcept { return allocated; }
std::size_t live() noexcept { return allocated - freed; }

}  // namespace trivet::protocol::heap

void* operator new(std::size_t size) {
  ++allocated;
  void* const block = std::malloc(size == 0 ? 1 : size);  // NOLINT(cppcoreguidelines-no-malloc)
  if (block != nullptr) return block;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return ::operator new(size); }
void operator delete(void* block) noexcept {
  if (block != nullptr) ++freed;
  std::free(block);  // NOLINT(cppcoreguidelines-no-malloc)
}
void operator delete[](void* block) noexcept { ::operator delete(block); }
void operator delete(void* block, std::size_t) noexcept { ::operator delete(block); }
void operator delete[](void* block, std::size_t) noexcept { ::operator delete(block); }
