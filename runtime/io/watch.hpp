#pragma once

#include <functional>
#include <memory>

#include "runtime/base/error.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::io {

/// Tells when a descriptor that is no connection can be read: a channel between processes, a pidfd.
///
/// Thread    [loop]
/// Lifetime  The loop outlives it. Destroying it is fine inside `on_readable`, which is not called
/// afterwards.
class Watch {
 public:
  using OnReadable = std::function<void()>;

  /// `descriptor` stays the caller's, and open as long as this lives. `on_readable` is called again as long
  /// as there is something to read, and only then: what it does to find out may block.
  static base::Result<std::unique_ptr<Watch>> open(EventLoop& loop, int descriptor, OnReadable on_readable);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  class Impl;
  explicit Watch(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace trivet::io
