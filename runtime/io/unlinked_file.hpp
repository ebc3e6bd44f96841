#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "runtime/base/bytes.hpp"
#include "runtime/base/error.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::io {

/// A byte queue on disk, in a file without a name (mode 0600): append at the end, read at the front. The
/// kernel frees it when the process ends, however it ends.
///
/// Thread  One thread at a time. Calls block on the disk.
/// Memory  None here. On disk size() plus at most 1 MiB: what was read is given back in steps (where the
///         file system can punch holes), all of it when the last byte was read. No bound of its own.
/// Errors  A failed append (disk full) adds nothing: the bytes queued before it are all still there, and
///         appending may be tried again.
class UnlinkedFile {
 public:
  /// In an existing folder.
  static base::Result<UnlinkedFile> create(const std::string& folder);

  /// All of `bytes`, or nothing.
  base::Result<> append(base::Bytes bytes);
  /// Takes up to into.size() bytes from the front; 0 when empty.
  base::Result<std::size_t> read(std::span<std::uint8_t> into);

  [[nodiscard]] std::uint64_t size() const noexcept { return write_at_ - read_at_; }
  [[nodiscard]] bool empty() const noexcept { return write_at_ == read_at_; }

 private:
  explicit UnlinkedFile(process::FileDescriptor file) noexcept : file_(std::move(file)) {}
  void give_back() noexcept;

  process::FileDescriptor file_;
  std::uint64_t read_at_ = 0;
  std::uint64_t write_at_ = 0;
  std::uint64_t freed_to_ = 0;  ///< Before this the file holds no blocks any more.
};

}  // namespace trivet::io
