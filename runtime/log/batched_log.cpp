#include "runtime/log/batched_log.hpp"

#include <poll.h>

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

void BatchedLog::start(base::Loop& loop) noexcept {
  loop_ = &loop;
  find_full();
}

void BatchedLog::stop() noexcept {
  timer_.cancel();
  loop_ = nullptr;
  find_full();
  write_out();
}

void BatchedLog::on_line(std::size_t length) noexcept {
  if (!waits()) {
    flush();
  } else if (size() > full()) {
    write_out();
    const std::size_t left = size();
    if (left <= full()) return;
    set_size(left - length);
    ++lost_;
  } else {
    loop_->timers().arm(timer_, loop_->now() + wait_);
  }
}

void BatchedLog::write_out() noexcept {
  if (busy_.test_and_set(std::memory_order_acquire)) {  // save() is at it.
    if (loop_ != nullptr) loop_->timers().arm(timer_, loop_->now() + wait_);
    return;
  }
  const std::size_t done = write_unsaved();
  const std::size_t left = size() - done;
  std::memmove(lines(), lines() + done, left);
  set_size(left);
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
  const std::size_t size = this->size();
  const std::size_t from = std::min(saved_.load(std::memory_order_relaxed), size);
  return from + file_->write({lines() + from, size - from});
}

void BatchedLog::flush() noexcept {
  write_out();
  const std::string_view left(lines(), size());
  lost_ += static_cast<std::uint64_t>(std::count(left.begin(), left.end(), '\n'));
  set_size(0);
  saved_.store(0, std::memory_order_relaxed);
  timer_.cancel();
}

void BatchedLog::reopen() noexcept {
  write_out();
  while (busy_.test_and_set(std::memory_order_acquire)) {
  }
  file_->reopen();
  find_full();
  busy_.clear(std::memory_order_release);
}

void BatchedLog::save() noexcept {
  constexpr int most_milliseconds = 20;
  for (int waited = 0; busy_.test_and_set(std::memory_order_acquire); ++waited) {
    if (waited == most_milliseconds) return;
    ::poll(nullptr, 0, 1);
  }
  saved_.store(write_unsaved(), std::memory_order_relaxed);
  busy_.clear(std::memory_order_release);
}

}  // namespace trivet::log
