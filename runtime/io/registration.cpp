#include "runtime/io/registration.hpp"

#include <cerrno>

#include "runtime/io/event_loop_impl.hpp"

namespace trivet::io {

namespace {

/// The kernel tells these of everything in the set.
constexpr std::uint32_t gone = EPOLLHUP | EPOLLERR;

/// Edge-triggered, looked for all the time. Urgent bytes and the end of input: a read may stop before them.
constexpr std::uint32_t arrivals = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET;

}  // namespace

int Registration::want(std::uint32_t events) noexcept {
  wanted_ = events;
  if (in_set_ && (wanted_ & (told_ | ~(watched_ | gone))) == 0) return 0;
  return control(in_set_ ? EPOLL_CTL_MOD : EPOLL_CTL_ADD);
}

int Registration::control(int operation) noexcept {
  epoll_event event{};
  event.events = trigger_ == Trigger::edge ? (wanted_ & EPOLLOUT) | arrivals : wanted_ & ~gone;
  event.data.ptr = this;
  if (::epoll_ctl(loop_.set.get(), operation, descriptor_, &event) != 0) return errno;
  watched_ = event.events;
  told_ = 0;
  in_set_ = true;
  return 0;
}

void Registration::leave() noexcept {
  wanted_ = 0;
  take_out();
}

void Registration::take_out() noexcept {
  if (!in_set_) return;
  in_set_ = false;
  static_cast<void>(::epoll_ctl(loop_.set.get(), EPOLL_CTL_DEL, descriptor_, nullptr));
  loop_.forget(*this);
}

void Registration::tell(std::uint32_t found) {
  if (trigger_ == Trigger::edge) told_ |= found;
  if ((found & (gone | ~wanted_)) == 0) {
    on_ready(found);
  } else {
    tell_in_part(found);
  }
}

void Registration::tell_in_part(std::uint32_t found) {
  const bool is_gone = (found & gone) != 0;
  const std::uint32_t ready = is_gone ? wanted_ : found & wanted_;
  std::uint32_t unwanted = found & watched_ & ~wanted_;
  if (trigger_ == Trigger::edge) {
    if (is_gone) told_ |= EPOLLIN | EPOLLOUT | EPOLLHUP;
    unwanted &= EPOLLOUT;  // Which comes anew with each answer that the peer takes.
  }
  if (trigger_ == Trigger::level && is_gone && wanted_ == 0) {
    take_out();  // It would be told for ever.
  } else if (unwanted != 0 && control(EPOLL_CTL_MOD) != 0) {
    take_out();  // Whoever is told now finds out what is wrong, or asks anew.
  }
  if (ready != 0) on_ready(ready);
}

}  // namespace trivet::io
