#include "runtime/io/unlinked_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace trivet::io {

namespace {

/// Disk space is given back in steps of this size: each is a system call.
constexpr std::uint64_t give_back_step = 1024 * 1024;

}  // namespace

base::Result<UnlinkedFile> UnlinkedFile::create(const std::string& folder) {
  process::FileDescriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600));
  // Not every file system has files without a name (overlayfs before Linux 6.1, NFS); O_TMPFILE contains
  // O_DIRECTORY, so an old kernel says EISDIR.
  if (!file.is_open() && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    std::string name = folder + "/trivet-spool-XXXXXX";
    file.reset(::mkostemp(name.data(), O_CLOEXEC));
    if (file.is_open()) ::unlink(name.c_str());
  }
  if (!file.is_open()) return base::system_error("cannot make a temporary file in \"" + folder + "\"", errno);
  return UnlinkedFile(std::move(file));
}

base::Result<> UnlinkedFile::append(base::Bytes bytes) {
  // write_at_ moves only at the end: what a failed append left behind is overwritten by the next one.
  std::uint64_t at = write_at_;
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return base::system_error("cannot write to a temporary file", n < 0 ? errno : ENOSPC);
    at += static_cast<std::uint64_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  write_at_ = at;
  return base::success();
}

base::Result<std::size_t> UnlinkedFile::read(std::span<std::uint8_t> into) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size()));
  if (wanted == 0) return std::size_t{0};
  ssize_t n = 0;
  do {
    n = ::pread(file_.get(), into.data(), wanted, static_cast<off_t>(read_at_));
  } while (n < 0 && errno == EINTR);
  // No bytes where some were written: the file was cut by somebody, which nothing but the disk can do.
  if (n <= 0) return base::system_error("cannot read a temporary file", n < 0 ? errno : EIO);
  read_at_ += static_cast<std::uint64_t>(n);
  give_back();
  return static_cast<std::size_t>(n);
}

void UnlinkedFile::give_back() noexcept {
  if (empty()) {
    // Where truncating fails, the queue starts over all the same and overwrites.
    while (::ftruncate(file_.get(), 0) != 0 && errno == EINTR) {
    }
    read_at_ = write_at_ = freed_to_ = 0;
    return;
  }
  if (read_at_ - freed_to_ < give_back_step) return;
  // The start is a multiple of the step, so whole blocks go. A file system that cannot do it keeps them.
  const std::uint64_t to = read_at_ - read_at_ % give_back_step;
  (void)::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(freed_to_),
                    static_cast<off_t>(to - freed_to_));
  freed_to_ = to;
}

}  // namespace trivet::io
