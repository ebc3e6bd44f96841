#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "runtime/base/bytes.hpp"

namespace trivet::base {

/// A byte queue in one block: append at the end, consume at the front. Growing never zeroes.
///
/// Thread    One thread at a time.
/// Lifetime  Views from bytes() and prepare() last until the next non-const call.
/// Memory    Grows by doubling and has no bound of its own: the caller checks size() against its limit.
///           release() gives the block back; clear() keeps it.
class Buffer {
 public:
  Buffer() noexcept = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer gone(std::move(other));
    swap(gone);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() = default;

  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] Bytes bytes() const noexcept { return {block_.get() + begin_, size()}; }
  [[nodiscard]] std::uint8_t* data() noexcept { return block_.get() + begin_; }

  /// Room for `n` more bytes after the last; commit() what was written of it.
  [[nodiscard]] std::span<std::uint8_t> prepare(std::size_t n) {
    if (capacity_ - end_ < n) make_room(n);
    return {block_.get() + end_, n};
  }
  void commit(std::size_t n) noexcept {
    assert(n <= capacity_ - end_);
    end_ += n;
  }
  void append(Bytes bytes) {
    if (bytes.empty()) return;
    std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
    commit(bytes.size());
  }
  void append(std::string_view text) { append(as_bytes(text)); }

  void consume(std::size_t n) noexcept {
    assert(n <= size());
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  /// Forgets the last bytes until `n` are left.
  void truncate(std::size_t n) noexcept {
    assert(n <= size());
    end_ = begin_ + n;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  void clear() noexcept { begin_ = end_ = 0; }
  void release() noexcept {
    clear();
    block_.reset();
    capacity_ = 0;
  }
  void swap(Buffer& other) noexcept {
    block_.swap(other.block_);
    std::swap(capacity_, other.capacity_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
  }

 private:
  void make_room(std::size_t n);

  std::unique_ptr<std::uint8_t[]> block_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace trivet::base
