#include "runtime/io/unix_socket_file.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

namespace trivet::io {

namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::success;
using base::system_error;

Error refuse(std::string message) { return {ErrorCode::system_failure, std::move(message)}; }

sockaddr_un address_of(const std::string& path) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());  // checked to leave room for the NUL
  return address;
}

/// Keeps other hosts from the path while this one looks at it and takes it.
///
/// The lock is on a file beside the socket, not on the folder: everybody who may read a folder may lock it,
/// and could keep a host from starting. The file goes with the lock, so whoever waited for it must look
/// whether what he locked is still there.
class PathLock {
 public:
  explicit PathLock(std::string path) : path_(std::move(path)) {}
  ~PathLock() {
    if (file_.is_open()) ::unlink(path_.c_str());  // before the lock goes, so that nobody else's is unlinked
  }
  PathLock(const PathLock&) = delete;
  PathLock& operator=(const PathLock&) = delete;

  Result<> acquire() {
    constexpr std::chrono::milliseconds pause(5);
    constexpr int tries = 1000;  // others hold it for milliseconds
    for (int i = 0; i < tries; ++i) {
      process::FileDescriptor file(::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
      if (!file.is_open()) return system_error("cannot lock \"" + path_ + "\"", errno);
      if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
        if (is_same(file.get())) {
          file_ = std::move(file);
          return success();
        }
      } else if (errno != EWOULDBLOCK && errno != EINTR) {
        return system_error("cannot lock \"" + path_ + "\"", errno);
      } else {
        std::this_thread::sleep_for(pause);
      }
    }
    return refuse("\"" + path_ + "\" is locked by another process that is starting on the same socket");
  }

 private:
  [[nodiscard]] bool is_same(int file) const noexcept {
    struct stat locked{};
    struct stat named{};
    return ::fstat(file, &locked) == 0 && ::lstat(path_.c_str(), &named) == 0 &&
           locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
  }

  std::string path_;
  process::FileDescriptor file_;
};

/// Removes a socket file that nobody listens on; anything else at the path is an error.
Result<> clear_stale(const std::string& path) {
  const std::string quoted = "\"" + path + "\"";
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return success();
    return system_error("cannot look at " + quoted, errno);
  }
  if (S_ISLNK(found.st_mode)) return refuse(quoted + " is a symbolic link: name the socket itself");
  if (!S_ISSOCK(found.st_mode)) {
    return refuse(quoted + " exists and is not a socket: move it away or choose another path");
  }
  const process::FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.is_open()) return system_error("cannot make a socket", errno);
  const sockaddr_un address = address_of(path);
  // EAGAIN: somebody listens and his backlog is full. EPROTOTYPE: a socket of another kind is alive.
  const int connected = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address),  // NOLINT
                                  sizeof address);
  if (connected == 0 || errno == EAGAIN || errno == EPROTOTYPE) {
    return refuse("another process listens on " + quoted + ": stop it or choose another path");
  }
  if (errno == ENOENT) return success();
  if (errno != ECONNREFUSED) {
    return system_error("cannot tell whether another process listens on " + quoted, errno);
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return system_error("cannot remove the stale socket " + quoted, errno);
  }
  return success();
}

Result<gid_t> group_id(const std::string& name) {
  std::vector<char> memory(1024);
  group entry{};
  group* found = nullptr;
  int error = 0;
  while ((error = ::getgrnam_r(name.c_str(), &entry, memory.data(), memory.size(), &found)) == ERANGE) {
    memory.resize(memory.size() * 2);
  }
  if (found != nullptr) return entry.gr_gid;
  if (error != 0) return system_error("cannot look up the group \"" + name + "\"", error);
  return refuse("there is no group \"" + name + "\"");
}

/// Group and mode of the bound socket's file, through a descriptor of the very file that was checked.
Result<> set_access(int file, const UnixSocketFile::Wish& wish) {
  if (wish.group) {
    const Result<gid_t> group = group_id(*wish.group);
    if (!group) return group.error();
    if (::fchownat(file, "", static_cast<uid_t>(-1), group.value(), AT_EMPTY_PATH) != 0) {
      const std::string hint = errno == EPERM ? " (only root and members of the group may)" : "";
      return system_error(
          "cannot give the socket \"" + wish.path + "\" to the group \"" + *wish.group + "\"" + hint, errno);
    }
  }
  // fchmod refuses a descriptor without access rights (O_PATH); its name under /proc does not.
  if (::chmod(("/proc/self/fd/" + std::to_string(file)).c_str(), wish.mode) != 0) {
    return system_error("cannot set the mode of \"" + wish.path + "\"", errno);
  }
  return success();
}

}  // namespace

Result<UnixSocketFile> UnixSocketFile::listen(const process::FileDescriptor& socket, const Wish& wish) {
  constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  const std::string& path = wish.path;
  const std::string quoted = "\"" + path + "\"";
  const std::size_t slash = path.rfind('/');
  UnixSocketFile made;
  made.name_ = slash == std::string::npos ? path : path.substr(slash + 1);
  if (made.name_.empty() || path.find('\0') != std::string::npos) {
    return refuse(quoted + " is not the path of a socket");
  }
  if (path.size() > longest) {
    return refuse("the path of a socket has at most " + std::to_string(longest) + " bytes, this one " +
                  std::to_string(path.size()) + ": " + quoted);
  }
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  made.folder_ = process::FileDescriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!made.folder_.is_open()) {
    const std::string hint = errno == ENOENT ? " (create it, writable by the user of the host)" : "";
    return system_error("cannot open the folder \"" + folder + "\" of the socket " + quoted + hint, errno);
  }

  PathLock lock(path + ".lock");
  if (Result<> locked = lock.acquire(); !locked) return locked.error();
  if (Result<> cleared = clear_stale(path); !cleared) return cleared.error();

  // Linux gives the file this mode less the umask: never more than is wanted, and nobody can connect before
  // listen() anyway.
  if (::fchmod(socket.get(), wish.mode & 0600U) != 0)
    return system_error("cannot set a socket's mode", errno);
  const sockaddr_un address = address_of(path);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {  // NOLINT
    return system_error("cannot make the socket " + quoted, errno);
  }
  const process::FileDescriptor file(
      ::openat(made.folder_.get(), made.name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat found{};
  if (!file.is_open() || ::fstat(file.get(), &found) != 0) {
    return system_error("cannot look at the new socket " + quoted, errno);
  }
  if (!S_ISSOCK(found.st_mode)) return refuse(quoted + " was replaced while the host started");
  made.device_ = found.st_dev;
  made.inode_ = found.st_ino;
  Result<> access = set_access(file.get(), wish);
  if (access && ::listen(socket.get(), wish.backlog) != 0) {
    access = system_error("cannot listen on " + quoted, errno);
  }
  if (!access) {
    made.remove();
    return access.error();
  }
  return made;
}

UnixSocketFile UnixSocketFile::adopt(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  UnixSocketFile file;
  file.name_ = slash == std::string::npos ? path : path.substr(slash + 1);
  file.folder_ = process::FileDescriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat found{};
  if (!file.folder_.is_open() ||
      ::fstatat(file.folder_.get(), file.name_.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISSOCK(found.st_mode)) {
    return {};
  }
  file.device_ = found.st_dev;
  file.inode_ = found.st_ino;
  return file;
}

bool UnixSocketFile::is_in_place() const noexcept {
  if (!folder_.is_open()) return true;
  struct stat found{};
  return ::fstatat(folder_.get(), name_.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
         found.st_dev == device_ && found.st_ino == inode_;
}

Result<> UnixSocketFile::adjust(int socket, const Wish& wish) const {
  const process::FileDescriptor file(::openat(folder_.get(), name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat found{};
  if (!file.is_open() || ::fstat(file.get(), &found) != 0 || found.st_dev != device_ ||
      found.st_ino != inode_) {
    return refuse("the socket \"" + wish.path + "\" was replaced");
  }
  if (Result<> access = set_access(file.get(), wish); !access) return access;
  if (::listen(socket, wish.backlog) != 0) return system_error("cannot set the backlog", errno);
  return success();
}

void UnixSocketFile::remove() noexcept {
  if (folder_.is_open() && is_in_place()) ::unlinkat(folder_.get(), name_.c_str(), 0);
  folder_.reset();
}

}  // namespace trivet::io
