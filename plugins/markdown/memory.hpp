#pragma once

#include <cmark-gfm.h>

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

/// All memory that cmark takes for one document, up to a bound. cmark has no way to fail: it ends the program
/// when there is no memory. Here it is left in the middle instead, and what it held is freed as a whole.
///
/// Thread    One at a time; several, each with its own, at once.
/// Memory    `most` bytes, what stands before each block included.
class DocumentMemory {
 public:
  enum class End : std::uint8_t { done, out_of_memory, unwanted };

  /// `is_wanted(asker)` is asked now and then; when it says no, run() ends.
  DocumentMemory(std::size_t most, bool (*is_wanted)(void*) noexcept, void* asker) noexcept
      : most_(most), is_wanted_(is_wanted), asker_(asker) {}
  DocumentMemory(const DocumentMemory&) = delete;
  DocumentMemory& operator=(const DocumentMemory&) = delete;
  ~DocumentMemory() {
    while (first_ != nullptr) {
      Block* const block = first_;
      first_ = block->next;
      std::free(block);  // NOLINT(cppcoreguidelines-no-malloc)
    }
  }

  /// Runs `work(argument)`, in which cmark uses functions(). It may be left at any call into cmark: nothing
  /// in it has a destructor.
  End run(void (*work)(void*), void* argument) noexcept {
    end_ = End::done;
    current = this;
    // Between here and leave() are frames of C and of `work` alone.
    if (setjmp(exit_) == 0) work(argument);  // NOLINT(cert-err52-cpp)
    current = nullptr;
    return end_;
  }
  /// Within `work`.
  static void ask() noexcept {
    if (!current->is_wanted_(current->asker_)) current->leave(End::unwanted);
  }
  [[nodiscard]] static cmark_mem* functions() noexcept {
    static cmark_mem table = {&calloc, &realloc, &free};
    return &table;
  }
  [[nodiscard]] std::size_t most_taken() const noexcept { return most_taken_; }

 private:
  struct alignas(std::max_align_t) Block {
    Block* previous;
    Block* next;
    std::size_t size;
  };

  [[noreturn]] void leave(End end) noexcept {
    end_ = end;
    std::longjmp(exit_, 1);  // NOLINT(cert-err52-cpp)
  }
  void admit(std::size_t more) noexcept {
    if (++asked_ % 256 == 0) ask();
    if (more > most_ || taken_ > most_ - more) leave(End::out_of_memory);
  }
  void link(Block* block, std::size_t size) noexcept {
    block->previous = nullptr;
    block->next = first_;
    block->size = size;
    if (first_ != nullptr) first_->previous = block;
    first_ = block;
    taken_ += size;
    if (taken_ > most_taken_) most_taken_ = taken_;
  }
  void unlink(Block* block) noexcept {
    (block->previous != nullptr ? block->previous->next : first_) = block->next;
    if (block->next != nullptr) block->next->previous = block->previous;
    taken_ -= block->size;
  }
  static Block* block_of(void* memory) noexcept { return static_cast<Block*>(memory) - 1; }

  // NOLINTBEGIN(cppcoreguidelines-no-malloc): this is what malloc is wrapped in
  static void* calloc(std::size_t count, std::size_t size) {
    DocumentMemory& self = *current;
    if (size != 0 && count > self.most_ / size) self.leave(End::out_of_memory);
    const std::size_t whole = count * size + sizeof(Block);
    self.admit(whole);
    auto* block = static_cast<Block*>(std::calloc(1, whole));
    if (block == nullptr) self.leave(End::out_of_memory);
    self.link(block, whole);
    return block + 1;
  }
  static void* realloc(void* memory, std::size_t size) {
    if (memory == nullptr) return calloc(1, size);
    DocumentMemory& self = *current;
    Block* block = block_of(memory);
    if (size > self.most_) self.leave(End::out_of_memory);
    const std::size_t whole = size + sizeof(Block);
    self.admit(whole);  // While it is copied, both are there.
    self.unlink(block);
    auto* moved = static_cast<Block*>(std::realloc(block, whole));
    if (moved == nullptr) {
      self.link(block, block->size);
      self.leave(End::out_of_memory);
    }
    self.link(moved, whole);
    return moved + 1;
  }
  static void free(void* memory) {
    if (memory == nullptr) return;
    Block* block = block_of(memory);
    current->unlink(block);
    std::free(block);
  }
  // NOLINTEND(cppcoreguidelines-no-malloc)

  /// cmark passes nothing along with which its functions could tell documents apart.
  static inline thread_local DocumentMemory* current = nullptr;

  std::size_t most_;
  bool (*is_wanted_)(void*) noexcept;
  void* asker_;
  Block* first_ = nullptr;
  std::size_t taken_ = 0;
  std::size_t most_taken_ = 0;
  unsigned asked_ = 0;
  End end_ = End::done;
  std::jmp_buf exit_{};
};
