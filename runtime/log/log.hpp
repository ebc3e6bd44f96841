#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/error.hpp"

namespace trivet::log {

enum class Level : std::uint8_t { trace, debug, info, warn, error, off };

/// By its name in the configuration; nothing where there is no such level.
[[nodiscard]] std::optional<Level> level_named(std::string_view name) noexcept;

struct Settings {
  enum class Format : std::uint8_t { text, json };
  Level level = Level::info;
  Format format = Format::text;
  std::string target = "stderr";  ///< stderr | syslog | file:PATH
  /// Who gets a file that is made: a process of that user is to open it again. The file is then no symbolic
  /// link: that user may be able to put one there.
  std::optional<std::uint32_t> owner = {};
};

/// One field of a log line. The value is escaped when it is written: peer and plugin text cannot make a
/// second line, break JSON, or send escape sequences to a terminal.
struct Field {
  std::string_view name;
  std::string_view value;
};

/// Where everything that has to be told goes: one line per event.
///
/// Thread  [any].
/// Memory  A line is cut at 8 KiB.
/// Errors  A target that takes no more bytes loses lines, never requests; lost() counts them.
class Log {
 public:
  static base::Result<std::unique_ptr<Log>> open(const Settings& settings);
  virtual ~Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  [[nodiscard]] virtual bool enabled(Level level) const noexcept = 0;
  virtual void set_level(Level level) noexcept = 0;  ///< From the next line on.
  /// `text` names the event in plain words, fields carry what came from outside. At most 16 fields.
  virtual void write(Level level, std::string_view text, std::initializer_list<Field> fields) noexcept = 0;
  virtual void reopen() noexcept = 0;  ///< After a log rotation (SIGHUP).
  virtual void flush() noexcept = 0;
  [[nodiscard]] virtual std::uint64_t lost() const noexcept = 0;

  void info(std::string_view text, std::initializer_list<Field> fields = {}) noexcept {
    if (enabled(Level::info)) write(Level::info, text, fields);
  }
  void warn(std::string_view text, std::initializer_list<Field> fields = {}) noexcept {
    if (enabled(Level::warn)) write(Level::warn, text, fields);
  }
  void error(std::string_view text, std::initializer_list<Field> fields = {}) noexcept {
    if (enabled(Level::error)) write(Level::error, text, fields);
  }
  void debug(std::string_view text, std::initializer_list<Field> fields = {}) noexcept {
    if (enabled(Level::debug)) write(Level::debug, text, fields);
  }

 protected:
  Log() = default;
};

}  // namespace trivet::log
