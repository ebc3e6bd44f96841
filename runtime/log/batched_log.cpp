#include "runtime/log/batched_log.hpp"

#include <algorithm>
#include <cstring>

namespace trivet::log {

base::Result<std::unique_ptr<BatchedLog>> BatchedLog::open(const Settings& settings, std::string_view text,
                                                           base::Duration wait) {
  std::unique_ptr<BatchedLog> log(new BatchedLog(settings.format, text, wait));
  auto file = LineFile::open(settings.target, settings.owner, log->lost_);
  if (!file) return file.error();
  log->file_ = std::move(file).value();
  return log;
}

BatchedLog::~BatchedLog() {
  if (file_ != nullptr) flush();
}

void BatchedLog::stop() noexcept {
  timer_.cancel();
  loop_ = nullptr;
  write_out();
}

LineBuilder BatchedLog::begin(base::TimePoint now) noexcept {
  return heading_.begin(lines_.data() + size_.load(std::memory_order_relaxed), now);
}

void BatchedLog::end(LineBuilder& line) noexcept {
  const std::size_t length = line.finish().size();
  const std::size_t before = size_.load(std::memory_order_relaxed);
  size_.store(before + length, std::memory_order_release);
  if (loop_ == nullptr || wait_ == base::Duration::zero()) {
    flush();
  } else if (before + length > file_->batch()) {
    write_out();
    const std::size_t left = size_.load(std::memory_order_relaxed);
    if (left <= file_->batch()) return;
    size_.store(left - length, std::memory_order_release);
    ++lost_;
  } else if (before == 0) {
    loop_->timers().arm(timer_, loop_->now() + wait_);
  }
}

void BatchedLog::write_out() noexcept {
  if (busy_.test_and_set(std::memory_order_acquire)) {  // save() is at it.
    if (loop_ != nullptr) loop_->timers().arm(timer_, loop_->now() + wait_);
    return;
  }
  const std::size_t done = write_unsaved();
  const std::size_t left = size_.load(std::memory_order_relaxed) - done;
  std::memmove(lines_.data(), lines_.data() + done, left);
  size_.store(left, std::memory_order_relaxed);
  saved_.store(0, std::memory_order_relaxed);
  busy_.clear(std::memory_order_release);
  if (left == 0) {
    timer_.cancel();
  } else if (loop_ != nullptr) {
    loop_->timers().arm(timer_, loop_->now() + wait_);
  }
}

/// How many bytes are done with.
std::size_t BatchedLog::write_unsaved() noexcept {
  const std::size_t size = size_.load(std::memory_order_acquire);
  const std::size_t from = std::min(saved_.load(std::memory_order_relaxed), size);
  return from + file_->write({lines_.data() + from, size - from});
}

void BatchedLog::flush() noexcept {
  write_out();
  const std::string_view left(lines_.data(), size_.load(std::memory_order_relaxed));
  lost_ += static_cast<std::uint64_t>(std::count(left.begin(), left.end(), '\n'));
  size_.store(0, std::memory_order_relaxed);
  saved_.store(0, std::memory_order_relaxed);
  timer_.cancel();
}

void BatchedLog::reopen() noexcept {
  write_out();
  while (busy_.test_and_set(std::memory_order_acquire)) {
  }
  file_->reopen();
  busy_.clear(std::memory_order_release);
}

void BatchedLog::save() noexcept {
  if (busy_.test_and_set(std::memory_order_acquire)) return;
  saved_.store(write_unsaved(), std::memory_order_relaxed);
  busy_.clear(std::memory_order_release);
}

}  // namespace trivet::log
