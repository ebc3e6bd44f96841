#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>

#include "runtime/base/error.hpp"

namespace trivet::process {

/// Kills this process when its parent has ended and it does not follow within `patience`: somebody's code
/// that never comes back sees no end of a channel. A thread of its own looks once a second who the parent is;
/// nothing that a plugin does to descriptors, signals or handlers keeps it from that. Not PR_SET_PDEATHSIG:
/// SIGKILL would cut what could still end in order, any other signal can be blocked or ignored.
///
/// Thread    start() [startup]; `last_words` is called on a thread of their own, and has a second.
/// Lifetime  Until the process ends, also when this is gone; `last_words` is not called any more then.
/// Errors    No thread can be had.
class Leash {
 public:
  /// `parent` runs this, and may have ended already; 0: nobody knows who, and there is no leash.
  [[nodiscard]] static base::Result<Leash> start(pid_t parent, std::chrono::milliseconds patience,
                                                 std::function<void()> last_words);
  ~Leash();
  Leash(Leash&&) noexcept = default;
  Leash& operator=(Leash&&) = delete;
  Leash(const Leash&) = delete;
  Leash& operator=(const Leash&) = delete;

 private:
  struct State;
  explicit Leash(std::shared_ptr<State> state) noexcept;

  std::shared_ptr<State> state_;
};

}  // namespace trivet::process
