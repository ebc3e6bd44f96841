#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <trivet/basic.hpp>
#include <vector>

namespace trivet {

/// A setting was wrong and the host was told; thrown to end the constructor that read it.
class WrongSetting : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "a setting is wrong"; }
};

class Zone;

/// The host's log, for lines that belong to no request.
///
/// Thread    Wherever a hook, the constructor or the destructor of the plugin runs. On threads that a plugin
///           started itself the lines are dropped.
class Log {
 public:
  explicit Log(const trivet_host* host) noexcept : host_(host) {}
  void write(Level level, std::string_view line) const noexcept {
    host_->log(nullptr, static_cast<trivet_level>(level), sdk::text(line));
  }
  void debug(std::string_view line) const noexcept { write(Level::debug, line); }
  void info(std::string_view line) const noexcept { write(Level::info, line); }
  void warn(std::string_view line) const noexcept { write(Level::warn, line); }
  void error(std::string_view line) const noexcept { write(Level::error, line); }

 private:
  const trivet_host* host_;
};

/// The smallest and the largest number that a setting may have.
struct Range {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

/// The plugin's own settings, `config` of its `[plugin.NAME]`, or one table within, for a plugin whose
/// settings cannot be declared (<trivet/config.hpp>) or need checks of their own. A key may be a path:
/// "users.0.name". A setting that the plugin never reads is an error for the operator, so read all of them in
/// the constructor.
///
/// Thread    The thread that constructs the plugin.
/// Lifetime  Until the plugin's constructor returns; copy what you keep.
/// Errors    What is missing, of another type or out of range is told to the operator with file and line, and
///           then thrown as WrongSetting: the plugin does not start.
class Settings {
 public:
  Settings(const trivet_host* host, const trivet_settings* settings, std::string prefix = {})
      : host_(host), settings_(settings), prefix_(std::move(prefix)) {}

  [[nodiscard]] bool has(std::string_view key) const { return find(key).has_value(); }

  [[nodiscard]] std::string text(std::string_view key) const { return as_text(key, require(key)); }
  [[nodiscard]] std::string text(std::string_view key, std::string_view otherwise) const {
    const std::optional<trivet_value> value = find(key);
    return value ? as_text(key, *value) : std::string(otherwise);
  }

  [[nodiscard]] std::int64_t integer(std::string_view key, Range range = {}) const {
    return as_integer(key, require(key), range);
  }
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t otherwise, Range range = {}) const {
    const std::optional<trivet_value> value = find(key);
    return value ? as_integer(key, *value, range) : otherwise;
  }

  /// An integer is taken for a real number too.
  [[nodiscard]] double real(std::string_view key) const { return as_real(key, require(key)); }
  [[nodiscard]] double real(std::string_view key, double otherwise) const {
    const std::optional<trivet_value> value = find(key);
    return value ? as_real(key, *value) : otherwise;
  }

  [[nodiscard]] bool boolean(std::string_view key) const { return as_boolean(key, require(key)); }
  [[nodiscard]] bool boolean(std::string_view key, bool otherwise) const {
    const std::optional<trivet_value> value = find(key);
    return value ? as_boolean(key, *value) : otherwise;
  }

  /// How many entries a list has; 0 when there is none.
  [[nodiscard]] std::uint64_t count(std::string_view key) const {
    const std::optional<trivet_value> value = find(key);
    if (!value) return 0;
    if (value->type != TRIVET_TYPE_LIST) fail(key, "has to be a list");
    return value->count;
  }
  /// A list of texts; empty when there is none.
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const {
    std::vector<std::string> texts;
    const std::uint64_t entries = count(key);
    for (std::uint64_t at = 0; at < entries; ++at) texts.push_back(text(entry(key, at)));
    return texts;
  }
  /// A list of tables; empty when there is none.
  [[nodiscard]] std::vector<Settings> tables(std::string_view key) const {
    std::vector<Settings> tables;
    const std::uint64_t entries = count(key);
    for (std::uint64_t at = 0; at < entries; ++at) tables.push_back(table(entry(key, at)));
    return tables;
  }
  /// A table within this one. All its keys are absent when there is none.
  [[nodiscard]] Settings table(std::string_view key) const {
    const std::optional<trivet_value> value = find(key);
    if (value && value->type != TRIVET_TYPE_TABLE) fail(key, "has to be a table");
    return {host_, settings_, path(key)};
  }
  /// The keys of this table.
  [[nodiscard]] std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    trivet_text key{};
    while (host_->setting_key(settings_, sdk::text(prefix_), keys.size(), &key) == TRIVET_OK) {
      keys.emplace_back(sdk::view(key));
    }
    return keys;
  }

  /// For checks of your own: what is wrong with the setting, e.g. `fail("key", "has to have 16 characters or
  /// more")`.
  [[noreturn]] void fail(std::string_view key, std::string_view what) const {
    host_->setting_error(settings_, sdk::text(path(key)), sdk::text(what));
    throw WrongSetting();
  }

  [[nodiscard]] Log log() const noexcept { return Log(host_); }

 private:
  friend class Zone;

  [[nodiscard]] std::string path(std::string_view key) const {
    if (prefix_.empty()) return std::string(key);
    if (key.empty()) return prefix_;
    return std::string(prefix_).append(1, '.').append(key);
  }
  [[nodiscard]] static std::string entry(std::string_view key, std::uint64_t at) {
    return std::string(key).append(1, '.').append(std::to_string(at));
  }
  [[nodiscard]] std::optional<trivet_value> find(std::string_view key) const {
    trivet_value value{};
    const std::string whole = path(key);
    const trivet_status status = host_->setting(settings_, sdk::text(whole), &value);
    if (status == TRIVET_E_ABSENT) return std::nullopt;
    sdk::require(status, "reading setting", whole);
    return value;
  }
  [[nodiscard]] trivet_value require(std::string_view key) const {
    const std::optional<trivet_value> value = find(key);
    if (!value) fail(key, "is missing");
    return *value;
  }
  [[nodiscard]] std::string as_text(std::string_view key, const trivet_value& value) const {
    if (value.type != TRIVET_TYPE_TEXT) fail(key, "has to be a text");
    return std::string(sdk::view(value.text));
  }
  [[nodiscard]] std::int64_t as_integer(std::string_view key, const trivet_value& value, Range range) const {
    if (value.type != TRIVET_TYPE_INTEGER) fail(key, "has to be a whole number");
    if (value.integer < range.min || value.integer > range.max) {
      fail(key, "has to be between " + std::to_string(range.min) + " and " + std::to_string(range.max));
    }
    return value.integer;
  }
  [[nodiscard]] double as_real(std::string_view key, const trivet_value& value) const {
    if (value.type == TRIVET_TYPE_INTEGER) return static_cast<double>(value.integer);
    if (value.type != TRIVET_TYPE_REAL) fail(key, "has to be a number");
    return value.real;
  }
  [[nodiscard]] bool as_boolean(std::string_view key, const trivet_value& value) const {
    if (value.type != TRIVET_TYPE_BOOLEAN) fail(key, "has to be true or false");
    return value.boolean != 0;
  }

  const trivet_host* host_;
  const trivet_settings* settings_;
  std::string prefix_;
};

}  // namespace trivet
