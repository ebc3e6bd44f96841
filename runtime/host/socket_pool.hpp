#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/config/config.hpp"
#include "runtime/host/inheritance.hpp"
#include "runtime/io/listener.hpp"
#include "runtime/log/log.hpp"
#include "runtime/process/service_manager.hpp"

namespace trivet::host {

/// A listening socket that is open, and the index of the `[[listen]]` that it is for.
struct OpenSocket {
  std::uint32_t listen = 0;
  std::shared_ptr<io::Listener> socket;
};

/// The listening sockets of a host. Configurations that name the same address share one socket: nobody who
/// connects while the host goes from one to the other is refused. The last that lets go of a socket closes it
/// and takes its file away.
///
/// Thread    [startup], or [loop] of the supervisor.
/// Lifetime  `log` outlives it; sockets may outlive it.
class SocketPool {
 public:
  /// `passed` are taken over, and stay open as long as this lives: a later configuration may name them again.
  SocketPool(std::vector<process::PassedSocket> passed, log::Log& log);
  ~SocketPool();
  SocketPool(const SocketPool&) = delete;
  SocketPool& operator=(const SocketPool&) = delete;

  /// Sockets that an earlier image of this process opened. Those that no configuration asks for in time are
  /// closed with release_inherited().
  void adopt(const std::vector<Inheritance::Socket>& sockets, std::vector<base::Error>& errors);
  void release_inherited() noexcept { inherited_.clear(); }
  /// What is open, for the next image.
  [[nodiscard]] std::vector<Inheritance::Socket> open_sockets() const;
  [[nodiscard]] const std::vector<process::PassedSocket>& passed() const noexcept { return passed_; }

  /// Opens what `config` lists and is not open yet, and adjusts mode, group and backlog of what is. All
  /// errors at once, with their places; then nothing of what is open was changed for good, only adjusted.
  [[nodiscard]] std::vector<OpenSocket> open(const config::Config& config, std::vector<base::Error>& errors);

 private:
  struct Wanted;
  void open_one(const Wanted& wanted, std::vector<OpenSocket>& opened, std::vector<base::Error>& errors);
  void open_passed(const config::Config& config, std::uint32_t listen, const std::string& name,
                   std::vector<OpenSocket>& opened, std::vector<base::Error>& errors);
  void tell_of_unused();

  std::vector<process::PassedSocket> passed_;
  std::set<int> used_;  ///< Of those.
  log::Log& log_;
  std::map<std::string, std::weak_ptr<io::Listener>> open_;  ///< By address.
  std::vector<std::shared_ptr<io::Listener>> inherited_;
  bool told_ = false;
};

}  // namespace trivet::host
