#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/base/buffer.hpp"
#include "runtime/base/error.hpp"

namespace trivet::cli {

/// What is sent as a stream: a text, a file read in pieces, or standard input.
///
/// Memory  A piece at a time, however large the file.
class InputSource {
 public:
  InputSource() = default;
  InputSource(InputSource&& other) noexcept;
  InputSource& operator=(InputSource&& other) noexcept;
  InputSource(const InputSource&) = delete;
  InputSource& operator=(const InputSource&) = delete;
  ~InputSource();

  /// TEXT, @FILE, or what `standard_input` names ("@-" or "-").
  static base::Result<InputSource> open(const std::string& from, std::string_view standard_input);

  /// Known for texts and regular files.
  [[nodiscard]] std::optional<std::uint64_t> length() const noexcept { return length_; }
  /// Seconds since the epoch, of a regular file.
  [[nodiscard]] std::optional<std::int64_t> modified() const noexcept { return modified_; }
  /// To be polled before read() where reading could wait; -1 where it does not.
  [[nodiscard]] int poll_descriptor() const noexcept { return may_wait_ ? descriptor_ : -1; }

  /// Appends the next bytes to `out`, at most `most`; 0 at the end.
  base::Result<std::size_t> read(base::Buffer& out, std::size_t most);

 private:
  std::string text_;
  std::size_t at_ = 0;
  int descriptor_ = -1;
  bool may_wait_ = false;
  std::optional<std::uint64_t> length_ = 0;
  std::optional<std::int64_t> modified_;
};

}  // namespace trivet::cli
