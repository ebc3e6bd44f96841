#include "runtime/io/registration.hpp"

#include <cerrno>

#include "runtime/io/event_loop_impl.hpp"

namespace trivet::io {

namespace {

/// The kernel tells these of everything in the set.
constexpr std::uint32_t gone = EPOLLHUP | EPOLLERR;

}  // namespace

int Registration::want(std::uint32_t events) noexcept {
  wanted_ = events;
  if (in_set_ && (wanted_ & ~watched_ & ~gone) == 0) return 0;
  return control(in_set_ ? EPOLL_CTL_MOD : EPOLL_CTL_ADD);
}

int Registration::control(int operation) noexcept {
  epoll_event event{};
  event.events = wanted_ & ~gone;
  event.data.ptr = this;
  if (::epoll_ctl(loop_.set.get(), operation, descriptor_, &event) != 0) return errno;
  watched_ = event.events;
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
  const std::uint32_t ready = (found & gone) != 0 ? wanted_ : found & wanted_;
  if ((found & gone) != 0 && wanted_ == 0) {
    take_out();  // It would be told for ever.
  } else if ((found & watched_ & ~wanted_) != 0 && control(EPOLL_CTL_MOD) != 0) {
    take_out();  // Whoever is told now finds out what is wrong, or asks anew.
  }
  if (ready != 0) on_ready(ready);
}

}  // namespace trivet::io
