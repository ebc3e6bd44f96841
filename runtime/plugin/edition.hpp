#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace trivet::config {
struct Plugin;
}

namespace trivet::plugin {

/// A number for what a plugin would make of the same bytes: its code, its settings, and the content of each
/// file that a setting names. It is the same for all workers, over reloads and on other machines, as long as
/// these are, so what clients and caches have of its output stays valid.
///
/// `code` is the file that was loaded; empty for a plugin that is linked in, which name and `version` tell
/// apart.
[[nodiscard]] std::uint64_t edition_of(const config::Plugin& config, const std::string& code,
                                       std::string_view version);

}  // namespace trivet::plugin
