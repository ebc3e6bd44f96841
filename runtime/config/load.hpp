#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"
#include "runtime/config/schema.hpp"

namespace trivet::config {

/// One thing to tell about a configuration file.
struct Diagnostic {
  enum class Severity : std::uint8_t { error, warning };
  Severity severity = Severity::error;
  Place place;  ///< Line 0: the whole file, or the option of the command line that `file` names.
  std::uint32_t end_column = 0;  ///< One past the last; 0: unknown.
  std::string message;           ///< What is wrong, with the value in quotes.
  std::string hint;              ///< What would cure it; may be empty.
};

/// A file that another one includes.
struct Source {
  std::string path;
  std::string text;
};

/// What a file says, as far as it could be read, and everything there is to tell about it, in file order,
/// those of included files behind.
struct Loaded {
  std::optional<Config> config;  ///< Absent when any diagnostic is an error.
  std::vector<Diagnostic> diagnostics;
  std::string text;  ///< What was read, for excerpts.
  std::vector<Source> included;
};

/// What the command line adds to the file.
struct Overrides {
  std::vector<std::string> listen;  ///< --listen: in place of every [[listen]].
  std::optional<std::uint32_t> processes;
  /// A web server spawned this process: descriptor 0 is the only listener, and named `spawned`; everything
  /// runs in one process, logs to standard error and ends within 5 s.
  bool spawned = false;
  /// FCGI_WEB_SERVER_ADDRS of the environment, where it is set (FastCGI 1.0, 3.2).
  std::optional<std::string> web_servers = {};
};

/// Reads and checks a file, collecting all errors. Runs no plugin code, but looks for the plugin files, and
/// into them with `look`: then settings and roles are checked against what the plugins declare.
/// Routes whose listeners are all closed in this run (replaced by --listen, or `spawned`) are left out, with
/// a warning: in a Config a route that names listeners names some that are there.
[[nodiscard]] Loaded load_file(const std::string& path, const Overrides& overrides = {},
                               const LookAtPlugin& look = {});
/// The same for text that claims to be `path` (relative plugin files are looked for beside it).
[[nodiscard]] Loaded load_text(std::string_view text, const std::string& path,
                               const Overrides& overrides = {}, const LookAtPlugin& look = {});

/// All that a configuration was made of: what was checked once is the same wherever it is loaded again,
/// whatever became of the files since. The environment is not in it: processes of one host have the same.
struct Snapshot {
  std::string path;
  std::string text;
  std::vector<Source> included;
  Overrides overrides;
  struct PluginFile {
    std::string path;  ///< Where it was found.
    std::string copy;
    bool exclusive = false;
  };
  std::map<std::string, PluginFile> plugin_files;  ///< By the plugin's name.
  std::optional<Account> account = {};             ///< Its place is not in it.
};

/// For another process of this program.
[[nodiscard]] std::string pack(const Snapshot& snapshot);
/// Nothing where the bytes are not what pack() made.
[[nodiscard]] std::optional<Snapshot> unpack(std::string_view bytes);
/// Touches no file. Gives a Config where the snapshot was of one.
[[nodiscard]] Loaded load_snapshot(const Snapshot& snapshot);

/// A diagnostic as a person reads it: `file:line:column: error: message`, the line, a caret, the hint. `text`
/// is the content of the file that the place names (empty: no excerpt).
[[nodiscard]] std::string render(const Diagnostic& diagnostic, std::string_view text);
/// All diagnostics of a load, rendered with excerpts, then `N errors, M warnings`.
[[nodiscard]] std::string render_all(const Loaded& loaded);

/// The path of the admin socket of a host that was started with this file, whatever else may be wrong with
/// it by now; empty: it has none.
///
/// Errors  Everything there is to tell, rendered.
[[nodiscard]] base::Result<std::string> find_admin_socket(const std::string& path);

/// `unix:/run/x.sock` and so on. An error text instead of an address says what is wrong and what is accepted.
[[nodiscard]] std::variant<Address, std::string> parse_address(std::string_view text);

}  // namespace trivet::config
