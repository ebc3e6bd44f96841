#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "runtime/base/clock.hpp"
#include "runtime/log/heading.hpp"
#include "runtime/log/line_builder.hpp"
#include "runtime/log/log.hpp"
#include "runtime/log/meaning.hpp"

namespace trivet::log {

/// Where requests are told: a line for each, put together where it is to stand. Only of the first that waits,
/// and when it is full, does it ask who takes them.
///
/// Thread  [loop].
class AccessLog {
 public:
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  virtual ~AccessLog() = default;

  /// Asks the memory for what the next line needs, which has left the nearest cache since the last one: best
  /// some work before begin().
  void expect() const noexcept {
    __builtin_prefetch(reinterpret_cast<const char*>(&lines_) + cached_together);
    const char* const room = lines_ + size_.load(std::memory_order_relaxed);
    for (std::size_t at = 0; at < usual_length; at += cached_together) __builtin_prefetch(room + at, 1);
    for (const unsigned char c : {'0', 'a'}) __builtin_prefetch(&meanings[c]);
  }

  /// The next line, of the time `now`; its fields are for the caller to add, before end().
  [[nodiscard]] LineBuilder begin(base::TimePoint now) noexcept {
    return heading_.begin(lines_ + size_.load(std::memory_order_relaxed), now);
  }
  void end(LineBuilder& line) noexcept {
    const std::size_t length = line.finish().size();
    const std::size_t before = size_.load(std::memory_order_relaxed);
    size_.store(before + length, std::memory_order_release);
    if (before == 0 || before + length > full_) on_line(length);
  }

 protected:
  /// `text` tells every line's event.
  AccessLog(Settings::Format format, std::string_view text) noexcept : heading_(format, text) {}
  /// Before the first line. There are LineBuilder::capacity bytes more than it is ever to be full with.
  void keep_in(char* lines) noexcept { lines_ = lines; }

  /// The last line, of that length, is the first of them, or makes them more than full.
  virtual void on_line(std::size_t length) noexcept = 0;
  void set_full(std::size_t full) noexcept { full_ = full; }
  [[nodiscard]] std::size_t full() const noexcept { return full_; }
  /// [any]: of so many bytes of `lines` each is written.
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }
  void set_size(std::size_t size) noexcept { size_.store(size, std::memory_order_release); }
  [[nodiscard]] char* lines() noexcept { return lines_; }

 private:
  static constexpr std::size_t cached_together = 64;
  static constexpr std::size_t usual_length = 256;

  // What every line of text needs is in two units of the cache.
  alignas(cached_together) char* lines_ = nullptr;
  std::atomic<std::size_t> size_{0};  ///< Of whole lines.
  std::size_t full_ = 0;
  Heading heading_;
};

}  // namespace trivet::log
