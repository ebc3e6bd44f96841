#include "runtime/process/zone.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "runtime/base/siphash.hpp"
#include "runtime/process/zone_parts.hpp"

namespace trivet::process {
namespace {

/// Where the locks of sessions are: far behind the memory itself.
constexpr std::uint64_t first_lock = 1ULL << 40U;
constexpr std::uint64_t most_sessions = 1ULL << 46U;

/// The lock that a process holds as long as it lives.
struct flock lock_of(std::uint64_t session) noexcept {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(first_lock + session % (most_sessions + 1));
  lock.l_len = 1;
  return lock;
}

}  // namespace

base::Result<FileDescriptor> Zone::make_memory(const ZoneLayout& layout) {
  const char* const what = "cannot make the memory of a zone";
  FileDescriptor memory(::memfd_create("trivet-zone", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory.is_open() || ::ftruncate(memory.get(), static_cast<off_t>(layout.size)) != 0)
    return base::system_error(what, errno);
  Header header;
  header.key_bytes = layout.key_bytes;
  header.value_bytes = layout.value_bytes;
  header.counters = layout.counters;
  header.size = layout.size;
  if (::getrandom(header.seed.data(), sizeof header.seed, 0) != sizeof header.seed ||
      ::pwrite(memory.get(), &header, sizeof header, 0) != sizeof header)
    return base::system_error(what, errno);
  // Nobody can take the memory away from under the others.
  if (::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) != 0)
    return base::system_error(what, errno);
  return memory;
}

base::Result<std::unique_ptr<Zone>> Zone::open(FileDescriptor memory, const ZoneLayout& layout) {
  std::unique_ptr<Zone> zone(new Zone(std::move(memory), layout));  // NOLINT: the constructor is private
  if (auto mapped = zone->map(); !mapped) return mapped.error();
  if (auto begun = zone->begin_session(); !begun) return begun.error();
  return zone;
}

Zone::Zone(FileDescriptor memory, const ZoneLayout& layout) noexcept
    : memory_(std::move(memory)), layout_(layout) {}

Zone::~Zone() {
  if (mapped_ != nullptr) ::munmap(mapped_, layout_.size);
}

base::Result<> Zone::map() {
  static_assert(sizeof(Header) <= ZoneLayout::header_size && sizeof(Counter) == 16);
  static_assert(sizeof(Set) == ZoneLayout::set_head_size);
  const base::Error other{base::ErrorCode::system_failure, "the memory of a zone has another layout"};
  struct stat about{};
  if (::fstat(memory_.get(), &about) != 0) return base::system_error("no memory of a zone was passed", errno);
  if (static_cast<std::uint64_t>(about.st_size) != layout_.size || layout_.sets() == 0) return other;
  void* const at = ::mmap(nullptr, layout_.size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0);
  if (at == MAP_FAILED) return base::system_error("cannot map the memory of a zone", errno);
  mapped_ = static_cast<std::byte*>(at);
  const auto& header = *reinterpret_cast<const Header*>(mapped_);  // NOLINT: fixed layout
  const Header wanted;
  const bool fits = header.magic == wanted.magic && header.version == wanted.version &&
                    header.key_bytes == layout_.key_bytes && header.value_bytes == layout_.value_bytes &&
                    header.counters == layout_.counters && header.size == layout_.size;
  if (!fits) return other;
  seed_ = header.seed;
  return base::success();
}

base::Result<> Zone::begin_session() {
  auto& header = *reinterpret_cast<Header*>(mapped_);  // NOLINT: fixed layout
  // A number that is taken was given twice: somebody wrote over the count.
  for (unsigned tries = 0; tries < most_zone_tries; ++tries) {
    session_ = header.sessions.fetch_add(1, std::memory_order_relaxed) % most_sessions + 1;
    struct flock lock = lock_of(session_);
    if (::fcntl(memory_.get(), F_SETLK, &lock) == 0) return base::success();
    if (errno != EAGAIN && errno != EACCES) break;
  }
  return base::system_error("cannot lock the memory of a zone", errno);
}

bool Zone::is_alive(std::uint64_t session) const noexcept {
  if (session == session_) return true;
  struct flock lock = lock_of(session);
  // The kernel drops the lock when it has taken the process apart: after its last instruction.
  return ::fcntl(memory_.get(), F_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

std::uint64_t Zone::hash(std::string_view text) const noexcept { return base::siphash(seed_, text); }

std::atomic<std::int64_t>* Zone::counter(std::string_view name) noexcept {
  const std::uint64_t hashed = std::max<std::uint64_t>(hash(name), 1);
  auto* const counters = reinterpret_cast<Counter*>(mapped_ + ZoneLayout::header_size);  // NOLINT
  for (std::uint32_t step = 0; step < layout_.counters; ++step) {
    Counter& each = counters[(hashed + step) % layout_.counters];
    std::uint64_t taken = 0;
    if (each.name.compare_exchange_strong(taken, hashed, std::memory_order_acq_rel) || taken == hashed)
      return &each.value;
  }
  return nullptr;
}

Zone::Time Zone::now() noexcept {
  struct timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return static_cast<Time>(time.tv_sec) * 1'000'000'000U + static_cast<Time>(time.tv_nsec);
}

}  // namespace trivet::process
