#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "runtime/host/attach_server.hpp"
#include "runtime/host/exchange.hpp"

namespace trivet::host {

/// Which worker accepts on which attached socket: each on one, because a web server has at most one
/// connection to each of them (mod_fcgid), and more workers would only wake for nothing.
///
/// Thread    [loop] of the supervisor.
/// Lifetime  The workers of set_takers() are used up to the next one.
class Attachments final : public AttachServer::Owner {
 public:
  /// Those that serve. The sockets of others are theirs from now on, those of who stays stay.
  void set_takers(std::vector<Partner*> takers);

  void on_attached(std::uint32_t id, int socket) override;
  void on_detached(std::uint32_t id) override;

 private:
  struct Attached {
    int socket;
    std::int64_t taker;  ///< By process; 0: nobody serves.
  };

  void give(std::uint32_t id, Attached& attached);

  std::map<std::uint32_t, Attached> attached_;
  std::vector<Partner*> takers_;
  std::size_t turn_ = 0;
};

}  // namespace trivet::host
