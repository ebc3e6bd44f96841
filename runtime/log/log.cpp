#include "runtime/log/log.hpp"

#include <spdlog/sinks/syslog_sink.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "runtime/log/descriptor_sink.hpp"
#include "runtime/log/line.hpp"

namespace trivet::log {

namespace {

spdlog::level::level_enum to_spdlog(Level level) noexcept {
  switch (level) {
    case Level::trace:
      return spdlog::level::trace;
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      break;
  }
  return spdlog::level::off;
}

void send(spdlog::sinks::sink& sink, Level level, std::string_view line) {
  sink.log(spdlog::details::log_msg({}, to_spdlog(level), {line.data(), line.size()}));
}

/// Where lines go, apart from what they look like.
class SinkLog : public Log {
 public:
  explicit SinkLog(const Settings& settings) noexcept : level_(settings.level), format_(settings.format) {}

  [[nodiscard]] bool enabled(Level level) const noexcept final {
    return level != Level::off && level >= level_.load(std::memory_order_relaxed);
  }
  void set_level(Level level) noexcept final { level_.store(level, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t lost() const noexcept final { return lost_.load(std::memory_order_relaxed); }

 protected:
  [[nodiscard]] Settings::Format format() const noexcept { return format_; }
  std::atomic<std::uint64_t> lost_{0};

 private:
  std::atomic<Level> level_;
  const Settings::Format format_;
};

class FileLog final : public SinkLog {
 public:
  using SinkLog::SinkLog;
  base::Result<> open(const Settings& settings) {
    auto file = LineFile::open(settings.target, settings.owner, lost_);
    if (!file) return file.error();
    sink_.emplace(std::move(file).value(), lost_);
    return base::success();
  }

  void write(Level level, std::string_view text, std::initializer_list<Field> fields) noexcept override {
    const Line line(format(), Line::Time::present, level, text, fields);
    try {
      send(*sink_, level, line.with_end());
    } catch (...) {
      ++lost_;
    }
  }
  void reopen() noexcept override { sink_->reopen(); }
  void flush() noexcept override {}  // every line is written before write() returns

 private:
  std::optional<DescriptorSink> sink_;
};

/// syslog keeps the time itself; what it loses it does not tell.
class SystemLog final : public SinkLog {
 public:
  explicit SystemLog(const Settings& settings)
      : SinkLog(settings), sink_("trivet", LOG_PID, LOG_DAEMON, /*enable_formatting=*/false) {}

  void write(Level level, std::string_view text, std::initializer_list<Field> fields) noexcept override {
    const Line line(format(), Line::Time::absent, level, text, fields);
    try {
      send(sink_, level, line.without_end());
    } catch (...) {
      ++lost_;
    }
  }
  void reopen() noexcept override {}
  void flush() noexcept override {}

 private:
  spdlog::sinks::syslog_sink_mt sink_;
};

}  // namespace

std::optional<Level> level_named(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 6> names = {"trace", "debug", "info", "warn", "error", "off"};
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Level>(found - names.begin());
}

base::Result<std::unique_ptr<Log>> Log::open(const Settings& settings) {
  try {
    if (settings.target == "syslog") return std::unique_ptr<Log>(std::make_unique<SystemLog>(settings));
    auto log = std::make_unique<FileLog>(settings);
    if (base::Result<> opened = log->open(settings); !opened) return opened.error();
    return std::unique_ptr<Log>(std::move(log));
  } catch (const std::exception& failure) {
    return base::Error{base::ErrorCode::system_failure,
                       std::string("cannot open the log: ") + failure.what()};
  }
}

}  // namespace trivet::log
