#pragma once

#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/error.hpp"

namespace trivet::log {

/// Lines to stderr or a file, one write(2) each. spdlog's own sinks go through stdio, which keeps half of a
/// line when the disk is full, throws, and blocks on a pipe that nobody reads. Private to this floor.
///
/// Thread    [any]: spdlog's base_sink holds a mutex around each call.
/// Errors    What cannot be written at once is lost and counted, never waited for, except that the disk
///           behind a regular file may take its time. A line of which only a part went out is ended before
///           the next one begins.
class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// An empty path means stderr. `owner` is that of log::Settings.
  static base::Result<std::shared_ptr<DescriptorSink>> open(const std::string& path,
                                                            std::optional<std::uint32_t> owner,
                                                            std::atomic<std::uint64_t>& lost);
  DescriptorSink(const DescriptorSink&) = delete;
  DescriptorSink& operator=(const DescriptorSink&) = delete;
  ~DescriptorSink() override;

  /// Opens the path again; where that fails the file in use stays, and the reason is written to it.
  void reopen() noexcept;

 private:
  enum class Kind : std::uint8_t { regular, stream, socket };

  DescriptorSink(std::string path, std::optional<std::uint32_t> owner, std::atomic<std::uint64_t>& lost)
      : path_(std::move(path)), owner_(owner), lost_(lost) {}
  base::Result<> open_target();
  /// -1 with errno.
  [[nodiscard]] int open_file() const noexcept;
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}
  /// How many bytes went out.
  [[nodiscard]] std::size_t write_now(std::string_view bytes) const noexcept;
  [[nodiscard]] bool takes_bytes() const noexcept;

  const std::string path_;
  const std::optional<std::uint32_t> owner_;
  std::atomic<std::uint64_t>& lost_;
  int descriptor_ = -1;
  Kind kind_ = Kind::regular;
  bool torn_ = false;  // the last line has no end
};

}  // namespace trivet::log
