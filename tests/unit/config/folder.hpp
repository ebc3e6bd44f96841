#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/config/load.hpp"

namespace trivet::config {

/// A folder of one test's own, gone with it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  /// Absolute, without a slash at the end.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Writes a file below it, making folders on the way; gives its absolute path.
  std::string write(const std::string& name, std::string_view content = {}) const;

 private:
  std::string path_;
};

/// Loads `text` as `FOLDER/t.toml`, where the plugins app, guard, other and wrap have a file in FOLDER.
class Loader {
 public:
  Loader();

  [[nodiscard]] Loaded load(std::string_view text, const Overrides& overrides = {}) const;
  /// The same, with `{}` for the folder in what is told, so that it can be compared.
  [[nodiscard]] std::string told(std::string_view text, const Overrides& overrides = {}) const;
  [[nodiscard]] std::string without_folder(std::string text) const;
  [[nodiscard]] const Folder& folder() const noexcept { return folder_; }

 private:
  Folder folder_;
};

/// A listener and a route that answers: what every file needs, in one line each.
inline constexpr std::string_view a_listener = "[[listen]]\naddress = \"unix:/run/x.sock\"\n";
inline constexpr std::string_view a_route = "[plugin.app]\n[[route]]\nrespond = \"app\"\n";

/// `a_listener`, `section`, `a_route`.
[[nodiscard]] std::string whole(std::string_view section);

}  // namespace trivet::config
