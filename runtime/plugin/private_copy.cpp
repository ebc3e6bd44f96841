#include "runtime/plugin/private_copy.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace trivet::plugin {

namespace {

using base::Error;
using base::ErrorCode;

Error rejected(std::string what) { return {ErrorCode::plugin_rejected, std::move(what)}; }

std::string errno_text(int value) { return std::generic_category().message(value); }

/// Bytes that went over, 0 at the end of the file, or -1 with errno.
ssize_t copy_by_hand(int from, int to) {
  std::array<char, 65536> buffer{};
  const ssize_t got = read(from, buffer.data(), buffer.size());
  if (got <= 0) return got;
  ssize_t done = 0;
  while (done < got) {
    const ssize_t put = write(to, buffer.data() + done, static_cast<std::size_t>(got - done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return -1;
    done += put;
  }
  return got;
}

/// Not every pair of filesystems can do the fast ways; which ones can is found out by asking.
bool cannot_do(int error) noexcept {
  return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM;
}

/// Copies from the start to the end of the file; gives the number of bytes, or -1 with errno.
std::int64_t copy_all(int from, int to) {
  enum class Way : std::uint8_t { copy_range, send_file, by_hand };
  constexpr std::size_t piece = std::size_t{1} << 30U;
  Way way = Way::copy_range;
  std::int64_t total = 0;
  if (lseek(from, 0, SEEK_SET) < 0) return -1;
  for (;;) {
    ssize_t done = -1;
    switch (way) {
      case Way::copy_range:
        done = copy_file_range(from, nullptr, to, nullptr, piece, 0);
        break;
      case Way::send_file:
        done = sendfile(to, from, nullptr, piece);
        break;
      case Way::by_hand:
        done = copy_by_hand(from, to);
        break;
    }
    if (done > 0) {
      total += done;
    } else if (done < 0 && errno == EINTR) {
      continue;
    } else if (way == Way::copy_range && (done == 0 || cannot_do(errno))) {
      way = Way::send_file;  // Also at 0: some filesystems of the kernel say so for files that are not empty.
    } else if (way == Way::send_file && done < 0 && cannot_do(errno)) {
      way = Way::by_hand;
    } else {
      return done == 0 ? total : -1;
    }
  }
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

/// The folder has to be there and to allow programs.
base::Result<> check_folder(const std::string& folder) {
  struct statvfs about{};
  if (statvfs(folder.c_str(), &about) != 0) {
    return rejected("plugin_cache " + quoted(folder) + " cannot be used: " + errno_text(errno) +
                    ": create it, or set server.plugin_cache to another folder");
  }
  if (std::string refused = refuse_mount(folder, about.f_flag); !refused.empty())
    return rejected(std::move(refused));
  return base::success();
}

/// A file that did not exist before. Others' leftovers with our process id are passed over, not reused.
base::Result<Copy> create_file(const std::string& folder, const std::string& name) {
  static std::atomic<std::uint32_t> counter{0};
  for (int attempts = 0; attempts < 1000; ++attempts) {
    const std::uint32_t number = counter.fetch_add(1, std::memory_order_relaxed);
    std::string path = folder;
    path.append("/").append(name).append("-").append(std::to_string(getpid()));
    path.append("-").append(std::to_string(number)).append(".so");
    const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0500);
    if (descriptor >= 0) return Copy{std::move(path), {process::FileDescriptor(descriptor), 0}};
    if (errno != EEXIST) {
      return rejected("plugin_cache " + quoted(folder) + " takes no files: " + errno_text(errno) +
                      ": let the host's user write there, or set server.plugin_cache to another folder");
    }
  }
  return rejected("plugin_cache " + quoted(folder) + " is full of old copies: remove them");
}

}  // namespace

base::Result<OpenFile> open_regular(const std::string& path) {
  // O_NONBLOCK: opening a FIFO for reading would wait for a writer.
  OpenFile file{process::FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)), 0};
  if (file.descriptor.get() < 0) {
    const int error = errno;
    const std::string cure = error == ENOENT   ? "install the plugin there, or correct `file`"
                             : error == EACCES ? "let the host's user read it"
                                               : "correct `file`";
    return rejected("cannot be opened: " + errno_text(error) + ": " + cure);
  }
  struct stat about{};
  if (fstat(file.descriptor.get(), &about) != 0) return rejected("cannot be examined: " + errno_text(errno));
  if (S_ISDIR(about.st_mode)) return rejected("is a folder: name the plugin's file in `file`");
  if (!S_ISREG(about.st_mode)) return rejected("is no regular file: name the plugin's file in `file`");
  file.size = static_cast<std::uint64_t>(about.st_size);
  return file;
}

base::Result<Copy> copy_private(const OpenFile& from, const std::string& folder, const std::string& name) {
  if (const auto fit = check_folder(folder); !fit) return fit.error();
  auto created = create_file(folder, name);
  if (!created) return created;

  const std::int64_t copied = copy_all(from.descriptor.get(), created->file.descriptor.get());
  const int error = errno;
  if (copied < 0 || static_cast<std::uint64_t>(copied) != from.size) {
    unlink(created->path.c_str());
    if (copied < 0)
      return rejected("cannot be copied into plugin_cache " + quoted(folder) + ": " + errno_text(error));
    return rejected(
        "changed while it was being copied: install plugins by renaming a complete file into place");
  }
  // A descriptor open for writing would keep the file from being mapped as a program on some systems.
  OpenFile readable{process::FileDescriptor(open(created->path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)),
                    from.size};
  if (readable.descriptor.get() < 0) {
    const std::string what = errno_text(errno);
    unlink(created->path.c_str());
    return rejected("its copy in plugin_cache " + quoted(folder) + " cannot be opened: " + what);
  }
  created->file = std::move(readable);
  return created;
}

std::string refuse_mount(const std::string& folder, unsigned long flags) {
  if ((flags & ST_NOEXEC) == 0) return {};
  return "plugin_cache " + quoted(folder) +
         " is on a filesystem mounted noexec, from which no code can be loaded: set server.plugin_cache to a "
         "folder on "
         "another filesystem";
}

}  // namespace trivet::plugin
