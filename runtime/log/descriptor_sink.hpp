#pragma once

#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "runtime/log/line_file.hpp"

namespace trivet::log {

/// Lines to stderr or a file, each at once, one write(2). spdlog's own sinks go through stdio, which keeps
/// half of a line when the disk is full, throws, and blocks on a pipe that nobody reads. Private to this
/// floor.
///
/// Thread    [any]: spdlog's base_sink holds a mutex around each call.
/// Errors    Those of LineFile; what is not taken at once is lost.
class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  DescriptorSink(std::unique_ptr<LineFile> file, std::atomic<std::uint64_t>& lost)
      : file_(std::move(file)), lost_(lost) {}

  void reopen() noexcept {
    const std::lock_guard lock(mutex_);
    file_->reopen();
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (file_->write({message.payload.data(), message.payload.size()}) == 0) ++lost_;
  }
  void flush_() override {}

  const std::unique_ptr<LineFile> file_;
  std::atomic<std::uint64_t>& lost_;
};

}  // namespace trivet::log
