#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"
#include "runtime/process/file_descriptor.hpp"
#include "runtime/process/service_manager.hpp"

namespace trivet::host {

/// What a host leaves to the image of the program that takes its place in the same process (a binary
/// upgrade): numbers of descriptors that stay open across exec, and what each is. Workers stay children, and
/// serve on.
struct Inheritance {
  /// Counts up with each change that an older reader would misunderstand.
  static constexpr std::size_t format = 3;
  /// Where the new image finds the descriptor of all this.
  static constexpr const char* variable = "TRIVET_INHERITANCE";

  struct Socket {
    std::string key;   ///< As the pool has it.
    std::string path;  ///< Of its file; empty: there is none.
    int descriptor = -1;
  };
  struct Zone {
    std::string about;  ///< As ZoneStore packs it.
    int descriptor = -1;
  };
  struct Worker {
    std::uint32_t slot = 0;
    std::uint32_t number = 0;
    std::int64_t pid = 0;
    int pidfd = -1;
    int channel = -1;
    base::TimePoint started{};
  };

  struct Client {
    std::string said;  ///< Of what it asks.
    int descriptor = -1;
  };

  struct Connection {
    std::string parcel;  ///< Packed.
    int descriptor = -1;
  };

  int board = -1;
  int executable = -1;  ///< Of the image that ran before (O_PATH), to go back to.
  std::vector<process::PassedSocket> passed;
  std::vector<Socket> sockets;
  Socket admin;   ///< What commands come by; no descriptor: there is none.
  Socket attach;  ///< What stubs come by; likewise.
  std::uint32_t generation = 0;
  std::string folder;  ///< Of the plugins' copies.
  int lock = -1;
  int snapshot = -1;
  int statistics = -1;      ///< What the workers of that generation count in.
  std::string counted;      ///< As Counted is packed, which has a version of its own.
  std::vector<Zone> zones;  ///< In the order of that generation's configuration.
  std::vector<Worker> workers;
  std::vector<Connection> connections;  ///< Which no worker has.
  int client = -1;                      ///< Who asked for the upgrade over the admin socket; -1: nobody.
  std::vector<Client> clients;          ///< Who else waits there.
  std::string failure;  ///< The new image gave up, and why: nothing is reloaded, the client is told.

  /// Every descriptor in it.
  [[nodiscard]] std::vector<int> descriptors() const;
};

[[nodiscard]] std::string pack(const Inheritance& inheritance);
/// Nothing where it is not what a version that this one understands has written, or a descriptor is not open.
[[nodiscard]] std::optional<Inheritance> unpack_inheritance(std::string_view bytes);

/// Takes what an earlier image left to this one; the variable is gone afterwards, so that no worker or
/// program that a plugin starts takes it for its own. Nothing: this process is none of a binary upgrade.
///
/// Thread  [startup], once.
[[nodiscard]] base::Result<std::optional<Inheritance>> take_inheritance();

/// Written to memory that survives exec.
[[nodiscard]] base::Result<process::FileDescriptor> in_memory(const Inheritance& inheritance);
[[nodiscard]] base::Result<Inheritance> read_inheritance(int descriptor);

}  // namespace trivet::host
