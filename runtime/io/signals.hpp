#pragma once

#include <functional>
#include <memory>

#include "runtime/base/error.hpp"
#include "runtime/io/event_loop.hpp"

namespace trivet::io {

/// SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGHUP and SIGUSR2 as calls on the loop; SIGPIPE is ignored.
///
/// By handlers with SA_RESTART, not by a signalfd, which needs the signals blocked: programs that a plugin
/// starts would inherit that and could not be terminated. Signals of one kind that arrive before the loop
/// sees them are one call.
///
/// Thread    [loop]; open() [startup].
/// Lifetime  At most one at a time in a process. The loop outlives it. Destroying it (inside the callback
///           too) restores what the signals did before; SIGPIPE stays ignored.
class Signals {
 public:
  using OnSignal = std::function<void(int number)>;

  static base::Result<std::unique_ptr<Signals>> open(EventLoop& loop, OnSignal on_signal);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  struct Impl;
  explicit Signals(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace trivet::io
