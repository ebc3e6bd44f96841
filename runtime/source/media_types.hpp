#pragma once

#include <map>
#include <string>
#include <string_view>

namespace trivet::source {

/// What file names say of their content: the system's table, and behind it a small one of our own, for
/// systems that have none.
///
/// Thread    [any] once it is read: nothing changes.
/// Memory    As large as the table, which is read up to 1 MiB.
class MediaTypes {
 public:
  /// Where Debian's package media-types has it.
  static constexpr const char* system_table = "/etc/mime.types";

  /// The table in the file at `path`; an empty one where it cannot be read. [startup]
  [[nodiscard]] static MediaTypes read(const char* path);
  /// Lines of `TYPE EXTENSION...`, `#` begins a comment. Of two types for one extension the first stays.
  [[nodiscard]] static MediaTypes parse(std::string_view table);

  /// The type for the extension of a file's name, without parameters; `application/octet-stream` where nobody
  /// knows it. Extensions are compared in lower case; `.gz` of `a.tar.gz` is what counts, `.profile` is a
  /// name.
  [[nodiscard]] std::string_view of(std::string_view file_name) const noexcept;

 private:
  std::map<std::string, std::string, std::less<>> by_extension_;
};

}  // namespace trivet::source
