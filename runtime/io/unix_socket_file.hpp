#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "runtime/base/error.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::io {

/// The name of a listening unix socket in the file system. Private to this floor.
///
/// Lifetime  Leaves the file where it is unless remove() is called.
class UnixSocketFile {
 public:
  UnixSocketFile() noexcept = default;

  /// What open() was asked for.
  struct Wish {
    std::string path;
    mode_t mode = 0660;
    std::optional<std::string> group;
    int backlog = 4096;
  };
  /// Binds `socket` to the path and lets it listen, as Listener promises.
  static base::Result<UnixSocketFile> listen(const process::FileDescriptor& socket, const Wish& wish);

  /// The file of a socket that listens already: made by an earlier image of this process. Empty where the
  /// path leads to no socket.
  static UnixSocketFile adopt(const std::string& path);

  /// Whether the path still leads to the socket. Where there is none: true.
  [[nodiscard]] bool is_in_place() const noexcept;
  /// Gives it mode, group and backlog of another wish for the same path.
  base::Result<> adjust(int socket, const Wish& wish) const;
  /// Unlinks the file if it is still the one that was made: another host may have taken the path over.
  void remove() noexcept;

 private:
  process::FileDescriptor folder_;  // holds although the working directory or a parent's name changes
  std::string name_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace trivet::io
