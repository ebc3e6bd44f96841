#pragma once

#include <sys/epoll.h>

#include <cstdint>

#include "runtime/io/event_loop.hpp"

namespace trivet::io {

/// A descriptor in the epoll set of a loop. Private to this floor.
///
/// The kernel is told of a wish only if it does not look for that yet, and what it looks for without a wish
/// is taken back when it comes: a request, its answer and the next request cost no epoll_ctl at all.
///
/// Level-triggered, the kernel looks after each event whether there is more. Edge-triggered it tells only
/// what is new, which costs less, and whoever takes what is there says when that is used up: a wish for what
/// was told and not used up makes the kernel look again. It is told of bytes whether they are wanted or not.
///
/// Thread    [loop]
/// Lifetime  The loop outlives it; the descriptor is open until leave(). Destroying it inside on_ready() is
///           fine, and what the kernel told of it in the same look goes with it.
class Registration {
 public:
  enum class Trigger : std::uint8_t { level, edge };

  Registration(EventLoop& loop, int descriptor, Trigger trigger = Trigger::level) noexcept
      : loop_(loop.impl()), descriptor_(descriptor), trigger_(trigger) {}
  virtual ~Registration() { leave(); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  /// What on_ready() is to be called for from now on, again and again: EPOLLIN, EPOLLOUT, EPOLLHUP or
  /// several. A hang-up or an error of the descriptor is told as all that is wanted. 0, or errno: then
  /// nothing comes.
  [[nodiscard]] int want(std::uint32_t events) noexcept;
  /// Less than before; costs nothing and cannot fail.
  void drop(std::uint32_t events) noexcept { wanted_ &= ~events; }
  [[nodiscard]] std::uint32_t wanted() const noexcept { return wanted_; }
  /// Edge-triggered: what the kernel told since it was last asked, but for what is used up.
  [[nodiscard]] std::uint32_t told() const noexcept { return told_; }
  void used_up(std::uint32_t events) noexcept { told_ &= ~events; }
  /// Wants nothing, and leaves the set: before the descriptor is closed or given away, because a copy of it
  /// elsewhere (a program that a plugin started) would keep it there.
  void leave() noexcept;

  [[nodiscard]] EventLoop::Impl& loop() const noexcept { return loop_; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  /// What the kernel told. For the loop. [loop]
  void tell(std::uint32_t found);

 protected:
  /// Of what is wanted, what is there: for one thing at least. The last thing that a turn does here.
  virtual void on_ready(std::uint32_t events) = 0;

 private:
  void tell_in_part(std::uint32_t found);
  int control(int operation) noexcept;
  void take_out() noexcept;

  EventLoop::Impl& loop_;
  const int descriptor_;
  const Trigger trigger_;
  std::uint32_t wanted_ = 0;
  std::uint32_t watched_ = 0;  // what the kernel looks for, beside hang-up and errors
  std::uint32_t told_ = 0;     // none of a level-triggered one
  bool in_set_ = false;
};

}  // namespace trivet::io
