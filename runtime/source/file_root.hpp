#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::source {

/// What is known of an open file.
struct FileFacts {
  std::uint64_t size = 0;
  std::int64_t modified = 0;  ///< Seconds since 1970.
  std::uint32_t modified_ns = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const FileFacts&, const FileFacts&) = default;
};

/// What stands at a place below the root.
struct Found {
  enum class What : std::uint8_t {
    file,
    folder,       ///< Asked for without a slash at its end.
    no_index,     ///< A folder, and none of the index files in it.
    missing,      ///< Nothing, or nothing that can be read as a file: a FIFO, a socket, a device.
    forbidden,    ///< The system does not allow it.
    outside,      ///< A symbolic link leads out of the root.
    not_at_once,  ///< Not to be told without waiting for a disk: Reach::memory only.
    failed,
  };
  What what = What::failed;
  int error = 0;             ///< errno of forbidden, missing and failed.
  bool root_failed = false;  ///< It is the root that could not be opened.
  process::FileDescriptor file;
  FileFacts facts;
  std::optional<std::size_t> index;  ///< Which of the index files it is.
  /// Device of the root; only where it is on a disk of this machine, whose cached files are read at once.
  std::optional<std::uint64_t> local_device;
};

/// How far looking may go.
struct Reach {
  /// Nothing but what the system has in memory, on this device, as Found::local_device told it: never waits.
  static Reach memory(std::uint64_t device) noexcept { return Reach{device}; }
  /// May wait for a disk or a network.
  static Reach anywhere() noexcept { return Reach{std::nullopt}; }

  std::optional<std::uint64_t> device;
};

/// The folder of a `files` source, or its one file.
///
/// It is opened anew for each request, so that a symbolic link in its path can be switched to another tree;
/// the request then sees one tree. What is below is opened with RESOLVE_BENEATH: no `..`, no symbolic link
/// and no rename at that moment leads out of it. Nothing is read, and no FIFO, device or lease is waited for,
/// before it is known to be a regular file.
///
/// Thread  [any]: immutable.
class FileRoot {
 public:
  explicit FileRoot(const config::Files& files);

  /// Whether it can be opened, and the system knows how. [startup]
  [[nodiscard]] base::Result<> probe() const;

  /// `place` as FilePlace tells it.
  [[nodiscard]] Found look_up(const std::string& place, const Reach& reach) const;

  /// The whole path of what was found at `place`, for people.
  [[nodiscard]] std::string path_of(const std::string& place, const Found& found) const;
  /// The last name of it.
  [[nodiscard]] std::string_view name_of(const std::string& place, const Found& found) const noexcept;

 private:
  class Looking;

  std::string folder_;
  std::string one_file_;  ///< Its name in `folder_`; empty: everything below.
  std::vector<std::string> index_;
};

}  // namespace trivet::source
