#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"
#include "runtime/log/log.hpp"
#include "runtime/process/file_descriptor.hpp"
#include "runtime/process/zone.hpp"

namespace trivet::host {

/// The memory of one zone, as the supervisor has it: not mapped, for workers write it.
struct ZoneMemory {
  std::string name;
  base::ZoneLayout layout;
  process::FileDescriptor descriptor;
};
/// The zones of a generation in the order of its configuration. What nobody holds any more is gone.
using HeldZones = std::vector<std::shared_ptr<const ZoneMemory>>;
/// For the message that starts a worker: behind Start::descriptors.
[[nodiscard]] std::vector<int> descriptors_of(const HeldZones& zones);

/// Which zones there are, of all generations. A zone with the same name and layout is the same from one
/// generation to the next; with another layout it is another one, and empty.
///
/// Thread    [startup], or [loop] of the supervisor.
/// Lifetime  Holds no zone itself: whoever holds one keeps it.
class ZoneStore {
 public:
  explicit ZoneStore(log::Log& log) : log_(log) {}

  /// Those that a configuration asks for: what is there, and the rest made new.
  base::Result<HeldZones> take(const std::vector<config::Zone>& wanted);

  /// Everything that is held, for the program that takes this one's place: it adopts what descriptors_of()
  /// gives, under these words, one for each.
  [[nodiscard]] HeldZones held() const;
  [[nodiscard]] static std::string pack(const ZoneMemory& zone);
  /// Held by whoever keeps the result. Null where the word is not of this version.
  std::shared_ptr<const ZoneMemory> adopt(const std::string& packed, process::FileDescriptor descriptor);

 private:
  using Key = std::pair<std::string, base::ZoneLayout>;

  std::shared_ptr<const ZoneMemory> remember(std::string name, const base::ZoneLayout& layout,
                                             process::FileDescriptor descriptor);

  log::Log& log_;
  std::map<Key, std::weak_ptr<const ZoneMemory>> known_;
};

/// Maps the zones of a configuration from descriptors in its order.
[[nodiscard]] base::Result<process::Zones> open_zones(const std::vector<config::Zone>& configured,
                                                      std::vector<process::FileDescriptor> descriptors);
/// For a host without workers: makes them first.
[[nodiscard]] base::Result<process::Zones> make_zones(const std::vector<config::Zone>& configured);

}  // namespace trivet::host
