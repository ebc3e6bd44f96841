#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/log/access_log.hpp"
#include "runtime/log/line_builder.hpp"
#include "runtime/log/log.hpp"

namespace trivet::log {

/// Keeps its lines, for tests: as the text format writes them, without the time and the line end, e.g.
/// `warn  request refused route=docs reason="no match"`.
///
/// Thread  [any].
/// Memory  Grows with every line until clear().
class MemoryLog final : public Log {
 public:
  explicit MemoryLog(Level level = Level::trace) noexcept : level_(level) {}

  [[nodiscard]] bool enabled(Level level) const noexcept override {
    return level != Level::off && level >= level_.load(std::memory_order_relaxed);
  }
  void set_level(Level level) noexcept override { level_.store(level, std::memory_order_relaxed); }
  void write(Level level, std::string_view text, std::initializer_list<Field> fields) noexcept override;
  void reopen() noexcept override {}
  void flush() noexcept override {}
  [[nodiscard]] std::uint64_t lost() const noexcept override { return 0; }

  [[nodiscard]] std::vector<std::string> lines() const;
  /// How many lines contain `part`.
  [[nodiscard]] std::size_t count(std::string_view part) const;
  [[nodiscard]] bool contains(std::string_view part) const { return count(part) != 0; }
  void clear();

 private:
  std::atomic<Level> level_;
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// The same of an access log, in any format.
///
/// Thread  One at a time.
class MemoryAccessLog final : public AccessLog {
 public:
  explicit MemoryAccessLog(Settings::Format format = Settings::Format::text) noexcept
      : AccessLog(format, "access"), format_(format) {
    keep_in(room_.data());
  }

  [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }
  void clear() noexcept { lines_.clear(); }

 private:
  void on_line(std::size_t length) noexcept override;

  const Settings::Format format_;
  std::array<char, LineBuilder::capacity> room_;
  std::vector<std::string> lines_;
};

}  // namespace trivet::log
