#include "runtime/io/watch.hpp"

#include <poll.h>

#include <utility>

#include "runtime/io/registration.hpp"

namespace trivet::io {

class Watch::Impl final : public Registration {
 public:
  Impl(EventLoop& loop, int descriptor, OnReadable on_readable)
      : Registration(loop, descriptor), on_readable_(std::move(on_readable)) {}

 private:
  void on_ready(std::uint32_t /*events*/) override {
    if (!is_readable()) return;
    const OnReadable tell = on_readable_;  // It may destroy this.
    tell();
  }

  /// An earlier event of the same look may have taken what was there, and whoever waits for a process would
  /// wait.
  [[nodiscard]] bool is_readable() const noexcept {
    pollfd one{descriptor(), POLLIN, 0};
    return ::poll(&one, 1, 0) > 0;  // If it failed, it is told again.
  }

  const OnReadable on_readable_;
};

base::Result<std::unique_ptr<Watch>> Watch::open(EventLoop& loop, int descriptor, OnReadable on_readable) {
  auto watched = std::make_unique<Impl>(loop, descriptor, std::move(on_readable));
  if (const int error = watched->want(EPOLLIN); error != 0)
    return base::system_error("cannot watch a descriptor", error);
  return std::unique_ptr<Watch>(new Watch(std::move(watched)));  // NOLINT: the constructor is private
}

Watch::Watch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Watch::~Watch() = default;

}  // namespace trivet::io
