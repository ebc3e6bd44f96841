#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trivet::config {

/// What one setting of a plugin may be.
struct SettingSchema {
  enum class Type : std::uint8_t { any, text, integer, real, boolean, list, table };

  Type type = Type::any;
  bool required = false;  ///< The table around it is not complete without it.
  /// Of an integer or a real number itself, of a text its characters, of a list its entries.
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;  ///< Of a text; empty: any.
  /// None or one: what each entry of a list is, or what stands in a table under keys that are not in `keys`
  /// (none: no other keys).
  std::vector<SettingSchema> entries;
  std::map<std::string, SettingSchema, std::less<>> keys;  ///< Of a table.

  friend bool operator==(const SettingSchema&, const SettingSchema&) = default;
};

/// What a plugin's file says of it without being run.
struct PluginFacts {
  bool responder = false;
  bool authorizer = false;
  bool filter = false;
  bool never_blocks = false;
  bool exclusive = false;
  std::optional<SettingSchema> settings;  ///< Absent: the plugin does not declare them.
};

/// Reads the facts of the file at `path`; nothing where it cannot, which is told when the plugin is loaded.
using LookAtPlugin = std::function<std::optional<PluginFacts>(const std::string& path)>;

}  // namespace trivet::config
