#pragma once

#include <trivet/abi.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"
#include "runtime/process/zone.hpp"

namespace trivet::plugin {

/// A plugin's settings as it reads them: the object behind `trivet_settings`. Remembers what was asked for,
/// so that a setting nobody reads (most often a misspelt one) is an error and not silence.
///
/// Thread    [startup]
/// Lifetime  Views of texts live as long as `plugin`, which outlives this; so do `zones`.
/// Errors    Collected in errors(), one line each: `file:line:column: plugin "x": setting "y": what`.
class SettingsReader {
 public:
  /// `zones` null: there are none.
  explicit SettingsReader(const config::Plugin& plugin, const process::Zones* zones = nullptr) noexcept
      : plugin_(plugin), zones_(zones) {}
  SettingsReader(const SettingsReader&) = delete;
  SettingsReader& operator=(const SettingsReader&) = delete;
  ~SettingsReader() = default;

  trivet_status find(std::string_view path, trivet_value& value);
  trivet_status key(std::string_view path, std::uint64_t index, trivet_text& key);
  void report(std::string_view path, std::string_view what);
  /// Null, and an error at that setting, where no zone of that name is configured.
  [[nodiscard]] process::Zone* zone(std::string_view path, std::string_view name);
  /// Adds an error for each setting that was not read.
  void report_unread();

  [[nodiscard]] const std::vector<std::string>& errors() const noexcept { return errors_; }

  [[nodiscard]] const trivet_settings* handle() const noexcept {
    return reinterpret_cast<const trivet_settings*>(this);  // NOLINT: an opaque handle
  }

 private:
  struct Found;

  [[nodiscard]] static Found look_in(const config::SettingTable& table, std::string_view path);
  [[nodiscard]] static Found look_in(const config::Setting& setting, std::string_view path);
  void report_unread(const std::string& path, const config::Setting& setting);
  [[nodiscard]] bool any_read(const config::Setting& setting) const;

  const config::Plugin& plugin_;
  const process::Zones* zones_;
  std::set<const config::Setting*> read_;
  std::vector<std::string> errors_;
};

/// `file:line:column: `, or nothing for a place that is unknown.
[[nodiscard]] std::string at_place(const config::Place& place);

}  // namespace trivet::plugin
