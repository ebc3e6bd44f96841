#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/cgi/request_path.hpp"

namespace trivet::source {

/// What a path means below `root`.
struct Script {
  enum class Kind : std::uint8_t {
    found,
    folder,  ///< The path names one without its final slash.
    absent,
    forbidden,  ///< The kernel does not let this process look.
    broken,     ///< `root` cannot be looked into: `why`.
  };
  Kind kind = Kind::absent;
  std::string file;  ///< SCRIPT_FILENAME
  std::string name;  ///< SCRIPT_NAME
  std::string info;  ///< PATH_INFO; empty where the path ends with the script.
  std::string why;
};

/// Finds the script that answers a path: what the route's `**` matched of it, below `root`.
///
/// The script is the first segment that ends like one of `index` and is a file that exists; what follows it
/// is PATH_INFO. A folder, with its final slash, means the first of `index` that is in it. Nothing else is a
/// script: /upload/cat.jpg/x.php names none, although PHP would go back to cat.jpg and run that
/// (cgi.fix_pathinfo), and /upload/cat.jpg names none either. Symbolic links are followed only below `root`.
///
/// Thread  [any].
/// Errors  As Script::Kind.
class ScriptFinder {
 public:
  ScriptFinder(std::string root, std::vector<std::string> index, std::string_view pattern);

  [[nodiscard]] const std::string& root() const noexcept { return root_; }
  /// `path` may be null: there is none. One that does not fit the route, because TRIVET_ROUTE named it, means
  /// no script.
  [[nodiscard]] Script find(const cgi::RequestPath* path) const;

 private:
  class Folder;
  [[nodiscard]] bool is_script_name(std::string_view segment) const noexcept;
  [[nodiscard]] Script of_folder(const Folder& folder, const std::string& below,
                                 const std::string& before) const;

  std::string root_;
  std::vector<std::string> index_;
  std::vector<std::string> endings_;  ///< Of `index_`, with their dots.
  cgi::PathPattern pattern_;
  std::size_t prefix_;  ///< Segments before the `**` of the route's path.
};

}  // namespace trivet::source
