#include "runtime/io/watch.hpp"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <utility>

#include "runtime/io/asio.hpp"

namespace trivet::io {

struct Watch::Impl : std::enable_shared_from_this<Watch::Impl> {
  Impl(EventLoop& on, OnReadable tell)
      : loop(on), on_readable(std::move(tell)), descriptor(on.impl().context) {}

  void wait() {
    descriptor.async_wait(Descriptor::wait_read, [self = shared_from_this()](const error_code& error) {
      if (error || self->stopped) return;
      self->loop.impl().turn([&] {
        if (self->is_readable()) self->on_readable();
        if (!self->stopped) self->wait();
      });
    });
  }

  /// Asio tells a descriptor also what was meant for one that was closed in the same turn, if the new one has
  /// got its place: whoever reads would find nothing, but who waits for a process would wait.
  bool is_readable() {
    pollfd one{descriptor.native_handle(), POLLIN, 0};
    return ::poll(&one, 1, 0) != 0;
  }

  EventLoop& loop;
  OnReadable on_readable;
  Descriptor descriptor;  // a copy
  bool stopped = false;
};

base::Result<std::unique_ptr<Watch>> Watch::open(EventLoop& loop, int descriptor, OnReadable on_readable) {
  std::unique_ptr<Watch> watch(new Watch(std::make_shared<Impl>(loop, std::move(on_readable))));  // NOLINT
  // A copy, because Asio closes what it watches.
  process::FileDescriptor copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  if (!copy.is_open()) return base::system_error("cannot watch a descriptor", errno);
  error_code error;
  watch->impl_->descriptor.assign(copy.get(), error);
  if (error) return base::system_error("cannot watch a descriptor", error.value());
  (void)copy.release();
  watch->impl_->wait();
  return watch;
}

Watch::Watch(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Watch::~Watch() {
  impl_->stopped = true;
  // Not only closed: the descriptor lives on elsewhere, and would stay registered.
  process::FileDescriptor copy(impl_->descriptor.is_open() ? impl_->descriptor.release() : -1);
}

}  // namespace trivet::io
