#pragma once

#include <memory>
#include <utility>

#include "runtime/log/log.hpp"

namespace trivet::log {

/// A log whose target can be exchanged while others hold on to it: a reload may name another file.
///
/// Thread  One, unlike other logs.
class SwitchableLog final : public Log {
 public:
  explicit SwitchableLog(std::unique_ptr<Log> first) : log_(std::move(first)) {}

  /// What the one before it still held is written.
  void exchange(std::unique_ptr<Log> next) noexcept {
    log_->flush();
    lost_before_ += log_->lost();
    log_ = std::move(next);
  }

  [[nodiscard]] bool enabled(Level level) const noexcept override { return log_->enabled(level); }
  void set_level(Level level) noexcept override { log_->set_level(level); }
  void write(Level level, std::string_view text, std::initializer_list<Field> fields) noexcept override {
    log_->write(level, text, fields);
  }
  void reopen() noexcept override { log_->reopen(); }
  void flush() noexcept override { log_->flush(); }
  [[nodiscard]] std::uint64_t lost() const noexcept override { return lost_before_ + log_->lost(); }

 private:
  std::unique_ptr<Log> log_;
  std::uint64_t lost_before_ = 0;
};

}  // namespace trivet::log
