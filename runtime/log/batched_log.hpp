#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "runtime/base/loop.hpp"
#include "runtime/log/access_log.hpp"
#include "runtime/log/line_file.hpp"

namespace trivet::log {

/// Collects its lines and writes many of them at once: when LineFile::batch() bytes have come together, or
/// the oldest has waited long enough. What a slow reader does not take is kept, and tried again.
///
/// Thread    [loop]; lost() and save() [any].
/// Lifetime  The loop outlives what is between start() and stop(). Before and after that no line waits.
/// Memory    LineFile::most_at_once and one line.
/// Errors    Those of LineFile. Where a reader is so slow that they are full, the line that came last is
/// lost.
class BatchedLog final : public AccessLog {
 public:
  /// `text` tells every line's event. With a `wait` of zero no line waits.
  static base::Result<std::unique_ptr<BatchedLog>> open(const Settings& settings, std::string_view text,
                                                        base::Duration wait);
  ~BatchedLog() override;

  void start(base::Loop& loop) noexcept;
  void stop() noexcept;

  /// Writes what waits; what is not taken now is lost.
  void flush() noexcept;
  /// Writes what waits to the file that was open so far.
  void reopen() noexcept;
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }
  /// Writes what waits, when the process may be about to end. Async-signal-safe. Another thread that is at
  /// the file is waited for, but not for long: it may be this one, which was interrupted.
  void save() noexcept;

 private:
  BatchedLog(Settings::Format format, std::string_view text, base::Duration wait) noexcept
      : AccessLog(format, text), wait_(wait) {
    keep_in(room_.data());
  }
  void on_line(std::size_t length) noexcept override;
  /// Whether a line may, for others.
  [[nodiscard]] bool waits() const noexcept { return loop_ != nullptr && wait_ != base::Duration::zero(); }
  void find_full() noexcept { set_full(waits() ? file_->batch() : 0); }
  void write_out() noexcept;
  [[nodiscard]] std::size_t write_unsaved() noexcept;
  void on_waited(base::TimePoint /*now*/) { write_out(); }

  const base::Duration wait_;
  std::atomic<std::uint64_t> lost_{0};
  std::unique_ptr<LineFile> file_;
  base::Loop* loop_ = nullptr;
  base::MemberTimer<BatchedLog, &BatchedLog::on_waited> timer_{*this};
  std::atomic_flag busy_;              ///< file_ is in use. save() may come at any time, on any thread.
  std::atomic<std::size_t> saved_{0};  ///< How many bytes of the lines save() was done with.
  std::array<char, LineFile::most_at_once + LineBuilder::capacity> room_;
};

}  // namespace trivet::log
