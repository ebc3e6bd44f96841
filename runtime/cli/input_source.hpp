#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/buffer.hpp"
#include "runtime/base/error.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::cli {

/// What is sent as a stream: a text, a file read in pieces, or standard input.
///
/// Memory  A piece at a time, however large the file.
class InputSource {
 public:
  enum class Piece : std::uint8_t {
    bytes,  ///< Some were appended.
    end,    ///< There are no more.
    later,  ///< None yet: poll_descriptor() says when.
  };

  InputSource() = default;  ///< Empty.

  /// "@FILE", "@-" for standard input, or else the text itself.
  static base::Result<InputSource> open(std::string_view from);
  static base::Result<InputSource> standard_input();

  /// Known for texts and regular files, as it was when they were opened: no more than that is read.
  [[nodiscard]] std::optional<std::uint64_t> length() const noexcept { return length_; }
  /// Seconds since the epoch, of a regular file.
  [[nodiscard]] std::optional<std::int64_t> modified() const noexcept { return modified_; }
  /// To be polled before read() where reading could wait; -1 where it does not.
  [[nodiscard]] int poll_descriptor() const noexcept { return may_wait_ ? descriptor() : -1; }

  /// Appends the next bytes to `out`, at most `most`. A file that became shorter since it was opened is an
  /// error: its length was promised to the peer.
  base::Result<Piece> read(base::Buffer& out, std::size_t most);

 private:
  static base::Result<InputSource> of_descriptor(InputSource source, const std::string& name);
  [[nodiscard]] int descriptor() const noexcept { return is_standard_input_ ? 0 : file_.get(); }

  std::string name_;
  std::string text_;
  process::FileDescriptor file_;
  bool is_standard_input_ = false;
  bool may_wait_ = false;
  std::optional<std::uint64_t> length_ = 0;
  std::optional<std::int64_t> modified_;
  std::uint64_t at_ = 0;  ///< How much was read.
};

}  // namespace trivet::cli
