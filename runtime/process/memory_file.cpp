#include "runtime/process/memory_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace trivet::process {

base::Result<FileDescriptor> make_memory_file(const char* name, std::string_view bytes, Sealed sealed,
                                              const char* what) {
  FileDescriptor memory(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory.is_open()) return base::system_error(what, errno);
  while (!bytes.empty()) {
    const ssize_t n = ::write(memory.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return base::system_error(what, errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (sealed == Sealed::yes && ::fcntl(memory.get(), F_ADD_SEALS, seals) != 0)
    return base::system_error(what, errno);
  return memory;
}

std::optional<std::string> read_memory_file(int descriptor) {
  struct stat about{};
  if (::fstat(descriptor, &about) != 0) return std::nullopt;
  std::string bytes(static_cast<std::size_t>(about.st_size), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::pread(descriptor, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::nullopt;
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

}  // namespace trivet::process
