#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/error.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::plugin {

struct OpenFile {
  process::FileDescriptor descriptor;
  std::uint64_t size = 0;
};

/// Opens a regular file for reading; a FIFO or device is refused without waiting for it.
[[nodiscard]] base::Result<OpenFile> open_regular(const std::string& path);

struct Copy {
  std::string path;
  OpenFile file;  ///< The copy, open for reading.
};

/// Copies what is open into a new file of `folder`, mode 0500, whose name begins with `name` and is not used
/// by any other process.
///
/// Errors  A folder that is missing, not writable or mounted noexec, a full disk, a file that shrank
/// meanwhile. Nothing
///         is left behind.
[[nodiscard]] base::Result<Copy> copy_private(const OpenFile& from, const std::string& folder,
                                              const std::string& name);

/// Why no code can be loaded from a folder on a filesystem mounted with these flags (statvfs), with the cure;
/// or empty.
[[nodiscard]] std::string refuse_mount(const std::string& folder, unsigned long flags);

}  // namespace trivet::plugin
