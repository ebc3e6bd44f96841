#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/error.hpp"
#include "runtime/base/zone_layout.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::process {

using base::ZoneLayout;

/// Memory that processes share under a name: counters, and a table of keys and values that expire.
///
/// No lock is ever held, so a process that is killed or stopped in the middle of anything holds up nobody,
/// and nothing has to be repaired after it. The table is cut into sets by the hash of the key. A set has 16
/// records, of which one 64-bit word says which are live and how often that changed. Whoever changes an entry
/// claims a record that is not live, writes it whole, and exchanges the word: from one live record to the
/// other in one step, which fails if anything in the set has changed since it was looked at. Whoever reads
/// looks at the word again afterwards. What a process leaves behind when it dies is at most a claimed record
/// that is not live; it is taken over once the kernel has dropped the claimant's record lock (fcntl(2)).
///
/// Thread    [any]; counters and entries also between processes.
/// Lifetime  Mapped as long as this lives; what is in it as long as any process has the descriptor. One Zone
///           per memory and process, and no other descriptor of it may be closed in this process: the
///           process's record lock would go with it.
/// Memory    Fixed by the layout. An operation looks at one set alone. Where a set is full, an entry that has
///           expired makes room, then the one that was used least lately, or the new one is refused.
/// Errors    Memory of another layout is refused. What another process scribbled over the memory yields wrong
///           values, but nothing outside of the memory is touched and nothing hangs.
class Zone {
 public:
  enum class Outcome : std::uint8_t {
    done,
    absent,   ///< No such entry.
    changed,  ///< The entry is not of that version.
    full,     ///< There is no room, and nothing was to be given up for it.
    refused,  ///< The key or the value is too long, or the value is no number.
    busy,     ///< Too many others were in between; nothing was changed.
  };
  /// Nanoseconds of a clock that is the same in all processes since the machine was started, and stands never
  /// still.
  using Time = std::uint64_t;
  [[nodiscard]] static Time now() noexcept;

  /// For put() and remove(): whatever is there. An entry's version is never 0: that means no entry.
  static constexpr std::uint64_t any_version = UINT64_MAX;
  enum class WhenFull : std::uint8_t { evict, refuse };
  struct Entry {
    std::size_t size = 0;  ///< Of the value.
    std::uint64_t version = 0;
    Time expires = 0;  ///< 0: never.
  };

  /// An empty one, which nobody can resize any more. Nothing of it is mapped.
  static base::Result<FileDescriptor> make_memory(const ZoneLayout& layout);
  static base::Result<std::unique_ptr<Zone>> open(FileDescriptor memory, const ZoneLayout& layout);
  ~Zone();
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

  [[nodiscard]] const ZoneLayout& layout() const noexcept { return layout_; }

  /// Copies the value, as much of it as fits.
  [[nodiscard]] Outcome get(std::string_view key, Time now, std::span<char> into, Entry& entry) noexcept;
  /// `lifetime` 0: it never expires. Only over an entry of that version; 0: only where there is none.
  [[nodiscard]] Outcome put(std::string_view key, std::string_view value, Time now, Time lifetime,
                            std::uint64_t version, WhenFull when_full) noexcept;
  /// Adds to a number, which keeps its time; where there is none, it is made with `lifetime`. Numbers are
  /// values of 8 bytes, in this machine's order. Past the ends of the range it stays at the end.
  [[nodiscard]] Outcome add(std::string_view key, std::int64_t delta, Time now, Time lifetime,
                            WhenFull when_full, std::int64_t& sum) noexcept;
  [[nodiscard]] Outcome remove(std::string_view key, Time now, std::uint64_t version) noexcept;

  /// The counter of that name, 0 at first; null where all are taken. Names are told apart by their hash.
  [[nodiscard]] std::atomic<std::int64_t>* counter(std::string_view name) noexcept;

 private:
  struct Header;
  struct Counter;
  struct Set;
  struct Found;
  struct Write;
  class Claim;
  using Word = std::atomic<std::uint64_t>;

  Zone(FileDescriptor memory, const ZoneLayout& layout) noexcept;
  base::Result<> map();
  base::Result<> begin_session();

  [[nodiscard]] std::uint64_t hash(std::string_view text) const noexcept;
  [[nodiscard]] Set& set_of(std::uint64_t hash) const noexcept;
  [[nodiscard]] Word* record(Set& set, unsigned index) const noexcept;
  [[nodiscard]] Found find(Set& set, std::uint64_t live, std::uint64_t hash, std::string_view key,
                           Time now) const noexcept;
  [[nodiscard]] bool has_key(const Word* record, std::string_view key) const noexcept;
  static void copy_value(const Word* value, std::span<char> into) noexcept;
  void write_record(Set& set, unsigned index, const Write& write, std::uint64_t version) const noexcept;
  [[nodiscard]] unsigned victim(Set& set, std::uint64_t live, Time now, WhenFull when_full) const noexcept;
  [[nodiscard]] bool is_alive(std::uint64_t session) const noexcept;
  /// `decide(found, write)` says what is to be written over what was found, or why nothing is.
  template <class Decide>
  [[nodiscard]] Outcome change(Write& write, WhenFull when_full, const Decide& decide) noexcept;

  FileDescriptor memory_;
  ZoneLayout layout_;
  std::array<std::uint64_t, 2> seed_{};
  std::uint64_t session_ = 0;  ///< What this process claims records with.
  std::byte* mapped_ = nullptr;
};

/// The zones of one process by name.
using Zones = std::map<std::string, std::unique_ptr<Zone>, std::less<>>;

}  // namespace trivet::process
