#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/error.hpp"

namespace trivet::log {

/// A file, or what is behind stderr, for whole lines. Private to this floor.
///
/// Several processes may write to it. To a file that is appended to, one write(2) is one piece, however long;
/// a pipe, or a socket, keeps only PIPE_BUF bytes together, so there each write is of whole lines up to that
/// (a longer line alone, in pieces).
///
/// Thread    One at a time. write() is async-signal-safe.
/// Errors    What cannot be written at once is never waited for, except that the disk behind a regular file
///           may take its time. `lost` counts lines. A line of which only a part went out is ended before the
///           next one begins.
class LineFile {
 public:
  /// Of log::Settings, `target` (but syslog) and `owner`.
  static base::Result<std::unique_ptr<LineFile>> open(const std::string& target,
                                                      std::optional<std::uint32_t> owner,
                                                      std::atomic<std::uint64_t>& lost);
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  ~LineFile();

  /// How many bytes had better come together: to a file many, as the pages at both ends of a write cost as
  /// much as some 40 KiB between them; to a reader about what a pipe holds, as the rest would wait for it.
  [[nodiscard]] std::size_t batch() const noexcept { return kind_ == Kind::regular ? most_at_once : a_pipe; }
  static constexpr std::size_t most_at_once = std::size_t{256} * 1024;
  static constexpr std::size_t a_pipe = std::size_t{64} * 1024;

  /// How many bytes, all of whole lines, are done with: written, or lost. The others a slow reader may take
  /// later.
  [[nodiscard]] std::size_t write(std::string_view lines) noexcept;
  /// Opens the path again; where that fails the file in use stays, and the reason is written to it.
  void reopen() noexcept;

 private:
  enum class Kind : std::uint8_t { regular, stream, socket };
  struct Sent {
    std::size_t bytes;
    bool is_full;  ///< Took less than it was given, and may take more later.
  };

  LineFile(std::string path, std::optional<std::uint32_t> owner, std::atomic<std::uint64_t>& lost)
      : path_(std::move(path)), owner_(owner), lost_(lost) {}
  base::Result<> open_target();
  /// -1 with errno.
  [[nodiscard]] int open_file() const noexcept;
  [[nodiscard]] Sent send(std::string_view bytes) const noexcept;
  /// What the next write is of.
  [[nodiscard]] std::string_view first_piece(std::string_view lines) const noexcept;
  /// `lines`, of which the first lacks its beginning or not.
  void lose(std::string_view lines) noexcept;

  const std::string path_;  ///< Empty: stderr.
  const std::optional<std::uint32_t> owner_;
  std::atomic<std::uint64_t>& lost_;
  int descriptor_ = -1;
  Kind kind_ = Kind::regular;
  bool torn_ = false;  ///< The last line has no end.
};

}  // namespace trivet::log
