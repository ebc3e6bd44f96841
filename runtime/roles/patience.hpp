#pragma once

#include <chrono>
#include <optional>

#include "runtime/base/loop.hpp"

namespace trivet::roles {

/// A clock that runs only while it should, and says when the time given is used up: a plugin's or a route's
/// timeout, which stands still while the web server owes bytes.
///
/// Thread    [loop].
class Patience final : private base::Timer {
 public:
  class Owner {
   public:
    Owner() = default;
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    virtual ~Owner() = default;
    virtual void on_patience_over(Patience& which) = 0;
  };

  explicit Patience(Owner& owner) noexcept : owner_(owner) {}

  /// Without a time it never ends.
  void set(base::Loop& loop, std::optional<std::chrono::milliseconds> time) noexcept {
    stop();
    loop_ = &loop;
    left_.reset();
    if (time) left_ = *time;
  }
  void run() {
    if (!left_ || armed()) return;
    loop_->timers().arm(*this, loop_->now() + *left_);
  }
  void pause() noexcept {
    if (!left_ || !armed()) return;
    const base::Duration rest = deadline() - loop_->now();
    left_ = rest > base::Duration::zero() ? rest : base::Duration::zero();
    cancel();
  }
  /// More time was not used after all.
  void extend(base::Duration by) noexcept {
    if (left_) *left_ += by;
  }
  /// For good.
  void stop() noexcept {
    cancel();
    left_.reset();
  }

 private:
  void on_timer(base::TimePoint /*now*/) override {
    left_ = base::Duration::zero();
    owner_.on_patience_over(*this);
  }

  Owner& owner_;
  base::Loop* loop_ = nullptr;
  std::optional<base::Duration> left_;
};

}  // namespace trivet::roles
