#include "runtime/source/file_root.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace trivet::source {
namespace {

constexpr std::uint64_t to_read = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
constexpr std::uint64_t to_look_below = O_PATH | O_DIRECTORY | O_CLOEXEC;

/// A descriptor, or -1 and errno.
int open_at(int folder, const char* path, std::uint64_t flags, std::uint64_t resolve) noexcept {
  open_how how{};
  how.flags = flags;
  how.resolve = resolve;
  // A rename somewhere on the way may make the kernel unsure whether `..` stays below: it says EAGAIN, and
  // means try again. With RESOLVE_CACHED it says it for all that is not in memory.
  int tries = (resolve & RESOLVE_CACHED) != 0 ? 1 : 100;
  long opened = -1;
  do {
    opened = ::syscall(SYS_openat2, folder, path, &how, sizeof how);
  } while (opened < 0 && (errno == EINTR || (errno == EAGAIN && --tries > 0)));
  return static_cast<int>(opened);
}

/// File systems whose memory is the page cache and whose cached files open without asking anybody. overlayfs
/// has its lower folders on others, which are nearly always these.
bool is_local(const struct statfs& system) noexcept {
  constexpr unsigned xfs = 0x58465342;
  constexpr unsigned zfs = 0x2fc12fc1;
  switch (static_cast<unsigned>(system.f_type)) {
    case EXT4_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:
    case SQUASHFS_MAGIC:
    case EROFS_SUPER_MAGIC_V1:
    case xfs:
    case zfs:
      return true;
    default:
      return false;
  }
}

std::uint64_t device_of(const struct statx& status) noexcept {
  return static_cast<std::uint64_t>(status.stx_dev_major) << 32U | status.stx_dev_minor;
}

Found of_kind(Found::What what, int error = 0) {
  Found found;
  found.what = what;
  found.error = error;
  return found;
}

Found of_error(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EINVAL:  // A name that this file system cannot have.
    case EILSEQ:
    case ENXIO:  // A socket, a device without a driver.
    case ENODEV:
    case ENOTSUP:
      return of_kind(Found::What::missing, error);
    case EACCES:
    case EPERM:
      return of_kind(Found::What::forbidden, error);
    case EXDEV:
      return of_kind(Found::What::outside, error);
    default:
      return of_kind(Found::What::failed, error);
  }
}

}  // namespace

FileRoot::FileRoot(const config::Files& files) : folder_(files.root), index_(files.index) {
  if (!files.one_file) return;
  const std::size_t slash = folder_.rfind('/');
  one_file_ = folder_.substr(slash + 1);
  folder_.resize(slash == 0 ? 1 : slash);
}

/// One look, with the root open.
class FileRoot::Looking {
 public:
  Looking(const FileRoot& root, const Reach& reach) : root_(root), at_once_(reach.device) {}

  Found run(const std::string& place) {
    if (!open_root()) return std::move(found_);
    Found found = !root_.one_file_.empty() ? read(root_.one_file_, 0)
                  : place.empty()          ? of_kind(Found::What::folder)
                  : place.back() == '/'    ? read_index(place == "/" ? std::string() : place)
                                           : read(place, RESOLVE_BENEATH);
    found.local_device = found_.local_device;
    return found;
  }

 private:
  bool give_up(Found found) {
    found_ = std::move(found);
    return false;
  }

  bool open_root() {
    const std::uint64_t resolve = RESOLVE_NO_MAGICLINKS | (at_once_ ? RESOLVE_CACHED : 0U);
    folder_.reset(open_at(AT_FDCWD, root_.folder_.c_str(), to_look_below, resolve));
    if (!folder_.is_open()) {
      // EINVAL: before Linux 5.12 the kernel does not know RESOLVE_CACHED.
      if (at_once_ && (errno == EAGAIN || errno == EINVAL)) return give_up(of_kind(Found::What::not_at_once));
      const int error = errno;
      Found failed = of_kind(error == EACCES ? Found::What::forbidden : Found::What::failed, error);
      failed.root_failed = true;
      return give_up(std::move(failed));
    }
    return at_once_ ? check_device() : learn_device();
  }

  /// Another tree may be on another file system.
  bool check_device() {
    struct statx status{};
    const int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
    if (::statx(folder_.get(), "", flags, STATX_TYPE, &status) != 0 || device_of(status) != *at_once_)
      return give_up(of_kind(Found::What::not_at_once));
    return true;
  }

  bool learn_device() {
    struct statfs system{};
    struct statx status{};
    if (::fstatfs(folder_.get(), &system) == 0 && is_local(system) &&
        ::statx(folder_.get(), "", AT_EMPTY_PATH, STATX_TYPE, &status) == 0) {
      found_.local_device = device_of(status);
    }
    return true;
  }

  /// What is mounted below is another file system, about which nothing is known here.
  [[nodiscard]] std::uint64_t extra() const noexcept {
    return RESOLVE_NO_MAGICLINKS | (at_once_ ? RESOLVE_CACHED | RESOLVE_NO_XDEV : 0U);
  }
  [[nodiscard]] bool means_not_at_once(int error) const noexcept {
    return at_once_ && (error == EAGAIN || error == EXDEV);
  }

  Found read(const std::string& path, std::uint64_t resolve) {
    process::FileDescriptor file(open_at(folder_.get(), path.c_str(), to_read, resolve | extra()));
    if (!file.is_open()) {
      const int error = errno;
      return means_not_at_once(error) ? of_kind(Found::What::not_at_once) : of_error(error);
    }
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return of_error(errno);
    if (S_ISDIR(status.st_mode)) return of_kind(Found::What::folder);
    if (!S_ISREG(status.st_mode)) return of_kind(Found::What::missing, ENXIO);
    Found found = of_kind(Found::What::file);
    found.file = std::move(file);
    found.facts = {static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec,
                   static_cast<std::uint32_t>(status.st_mtim.tv_nsec), status.st_ino};
    return found;
  }

  Found read_index(const std::string& folder) {
    for (std::size_t i = 0; i < root_.index_.size(); ++i) {
      Found found = read(folder + root_.index_[i], RESOLVE_BENEATH);
      if (found.what == Found::What::folder || found.what == Found::What::missing) continue;
      found.index = i;
      return found;
    }
    const std::string& path = folder.empty() ? here : folder;
    const process::FileDescriptor there(
        open_at(folder_.get(), path.c_str(), to_look_below, RESOLVE_BENEATH | extra()));
    if (there.is_open()) return of_kind(Found::What::no_index);
    const int error = errno;
    return means_not_at_once(error) ? of_kind(Found::What::not_at_once) : of_error(error);
  }

  inline static const std::string here = ".";

  const FileRoot& root_;
  std::optional<std::uint64_t> at_once_;  ///< The device on which files are looked up at once.
  process::FileDescriptor folder_;
  Found found_;
};

Found FileRoot::look_up(const std::string& place, const Reach& reach) const {
  return Looking(*this, reach).run(place);
}

base::Result<> FileRoot::probe() const {
  const process::FileDescriptor folder(
      open_at(AT_FDCWD, folder_.c_str(), to_look_below, RESOLVE_NO_MAGICLINKS));
  if (folder.is_open()) return base::success();
  const int error = errno;
  if (error == ENOSYS)
    return base::Error{base::ErrorCode::system_failure,
                       "`files` needs the system call openat2 (Linux 5.6), which this system has not"};
  return base::system_error("cannot open the folder \"" + folder_ + "\"", error);
}

std::string FileRoot::path_of(const std::string& place, const Found& found) const {
  std::string path = folder_;
  if (path.back() != '/') path += '/';
  if (!one_file_.empty()) return path + one_file_;
  if (place != "/") path += place;
  if (found.index) path += index_[*found.index];
  return path;
}

std::string_view FileRoot::name_of(const std::string& place, const Found& found) const noexcept {
  if (!one_file_.empty()) return one_file_;
  if (found.index) return index_[*found.index];
  const std::size_t slash = place.rfind('/');
  return slash == std::string::npos ? std::string_view(place) : std::string_view(place).substr(slash + 1);
}

}  // namespace trivet::source
