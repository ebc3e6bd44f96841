#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/error.hpp"
#include "runtime/config/schema.hpp"
#include "runtime/plugin/elf.hpp"

namespace trivet::plugin {

/// What a plugin file says about itself, readable without running its code.
struct Note {
  std::string name;
  std::string version;
  std::uint16_t abi_major = 0;
  std::uint16_t abi_minor = 0;
  std::string sdk;  ///< The version of the SDK it was built with; "c" or the like without one.
  bool responder = false;
  bool authorizer = false;
  bool filter = false;
  bool never_blocks = false;
  bool shared_instance = false;
  bool wants_short = false;
  bool exclusive = false;
  bool pure = false;
  bool any_encoding = false;
  std::optional<config::SettingSchema> settings;  ///< Absent: the plugin does not declare them.

  friend bool operator==(const Note&, const Note&) = default;
};

/// Reads the JSON text of a note. Unknown keys and flags are taken (a later SDK may say more), unknown roles
/// are not.
///
/// Errors  What is wrong, without the name of the file.
[[nodiscard]] base::Result<Note> parse_note(std::string_view json);

/// Why a plugin that was built for this ABI cannot run on this host, with the cure; or empty. Version 0 is
/// not frozen: there the minor number has to be equal too.
[[nodiscard]] std::string refuse_abi(std::uint16_t major, std::uint16_t minor);

/// Everything that can be checked of a plugin file before its code runs: it is a shared object for this
/// machine, whole, with a note, of an ABI that this host speaks, and looks for no libraries beside itself.
///
/// Errors  What is wrong and the cure, without the name of the file.
[[nodiscard]] base::Result<Note> inspect(const ElfFile& file);
/// The same of the file at `path`, which is not opened for longer.
[[nodiscard]] base::Result<Note> inspect(const std::string& path);

/// What a configuration is checked against; nothing when the file cannot be inspected.
[[nodiscard]] std::optional<config::PluginFacts> look_at(const std::string& path);

}  // namespace trivet::plugin
