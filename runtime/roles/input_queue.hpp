#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "runtime/base/buffer.hpp"
#include "runtime/base/error.hpp"

namespace trivet::roles {

/// A temporary file that holds input in order. Implemented by the host over a file without a name.
class SpoolFile {
 public:
  SpoolFile() = default;
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;
  virtual ~SpoolFile() = default;

  /// All or nothing.
  virtual base::Result<> append(base::Bytes bytes) = 0;
  /// The next bytes at the front, at most as many as fit; 0 only when the file is drained.
  virtual base::Result<std::size_t> read(std::span<std::uint8_t> into) = 0;
};

/// Where spool files come from, and how many bytes they may hold together.
///
/// Thread  [loop].
class SpoolStore {
 public:
  SpoolStore() = default;
  SpoolStore(const SpoolStore&) = delete;
  SpoolStore& operator=(const SpoolStore&) = delete;
  virtual ~SpoolStore() = default;

  virtual base::Result<std::unique_ptr<SpoolFile>> create() = 0;
  /// Takes `n` bytes from the worker's bound, or says that they are not there.
  virtual bool reserve(std::size_t n) noexcept = 0;
  virtual void give_back(std::size_t n) noexcept = 0;
};

/// Input of one request that no stage has taken yet, in order: memory first, then a file.
///
/// Thread    [loop].
/// Memory    At most `in_memory` bytes and the pieces read back from the file; the rest is in the file,
/// within the
///           store's bound.
/// Errors    append() says why the bytes were not kept: the request ends with 413 or 503, nothing else is
/// lost.
class InputQueue {
 public:
  enum class Kept : std::uint8_t {
    yes,
    over_bound,  ///< spool_bytes is used up.
    failed,      ///< The file could not be made or written: see error().
  };

  InputQueue() = default;
  InputQueue(const InputQueue&) = delete;
  InputQueue& operator=(const InputQueue&) = delete;
  ~InputQueue() { clear(); }

  void configure(SpoolStore& store, std::size_t in_memory) noexcept {
    store_ = &store;
    in_memory_ = in_memory;
  }
  [[nodiscard]] Kept append(base::Bytes bytes);
  [[nodiscard]] bool empty() const noexcept { return memory_.empty() && in_file_ == 0; }
  [[nodiscard]] std::uint64_t size() const noexcept { return memory_.size() + in_file_; }
  /// The bytes at the front, borrowed until the next call; empty when the queue is, or when reading back
  /// failed.
  [[nodiscard]] base::Bytes front();
  void pop(std::size_t n) noexcept { memory_.consume(n); }
  /// Drops what comes behind the first `n` bytes. Nothing is appended afterwards.
  void cut(std::uint64_t n) noexcept;
  /// Drops everything and gives memory and file back.
  void clear() noexcept {
    if (memory_.capacity() != 0 || file_ != nullptr || !error_.empty()) drop();
  }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  void drop() noexcept;

  SpoolStore* store_ = nullptr;
  std::size_t in_memory_ = 0;
  base::Buffer memory_;
  std::unique_ptr<SpoolFile> file_;
  std::uint64_t in_file_ = 0;
  std::string error_;
};

}  // namespace trivet::roles
