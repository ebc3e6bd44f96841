#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <span>

#include "runtime/base/error.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::cli::bench {

/// epoll, to the nanosecond, and the signals that end a load.
///
/// Thread    The one that made it, for which SIGINT and SIGTERM are held until it goes.
/// Errors    Of the system; by make().
class Poller {
 public:
  static base::Result<Poller> make();
  Poller(Poller&& other) noexcept;
  Poller& operator=(Poller&&) = delete;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  /// What `tag` is given back with.
  [[nodiscard]] bool add(int descriptor, std::uint64_t tag) noexcept;
  void watch(int descriptor, std::uint64_t tag, bool also_for_writing) noexcept;
  /// Waits; gives what is ready, until the next call.
  base::Result<std::span<const epoll_event>> wait(std::chrono::nanoseconds at_most);
  /// Whether what is ready with this tag is a signal.
  [[nodiscard]] static bool is_signal(std::uint64_t tag) noexcept { return tag == signal_tag; }

 private:
  Poller() = default;
  static constexpr std::uint64_t signal_tag = ~std::uint64_t{0};

  process::FileDescriptor epoll_;
  process::FileDescriptor signals_;
  sigset_t before_{};
  bool holds_ = false;
  std::array<epoll_event, 256> ready_{};
};

}  // namespace trivet::cli::bench
