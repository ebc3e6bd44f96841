#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/error.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::process {

/// What goes over a Channel at once.
struct Message {
  std::uint32_t kind = 0;  ///< The two ends agree on what that means.
  std::string text;
  std::vector<process::FileDescriptor> descriptors;  ///< Close-on-exec.
  bool lost_descriptors = false;  ///< The kernel closed some: the receiver has no room for more.
};

/// One end of the line between two processes: whole messages, in order, with descriptors (unix(7),
/// SOCK_SEQPACKET, SCM_RIGHTS). An end that goes away is told to the other.
///
/// Thread    One at a time.
/// Memory    A message has at most `most_text` bytes and `most_descriptors` descriptors. The kernel holds a
///           few hundred; then send() says `full`.
/// Errors    Nothing blocks, nothing throws.
class Channel {
 public:
  static constexpr std::size_t most_text = 32 * 1024;
  static constexpr std::size_t most_descriptors = 253;  ///< The kernel's bound (SCM_MAX_FD).
  enum class Outcome : std::uint8_t {
    done,
    full,   ///< Nothing was sent; later.
    empty,  ///< Nothing was received; later.
    gone,   ///< There is no other end, or it does not speak as this one does.
  };

  static base::Result<std::pair<Channel, Channel>> make_pair();
  explicit Channel(process::FileDescriptor socket) noexcept : socket_(std::move(socket)) {}

  /// The descriptors stay the caller's.
  [[nodiscard]] Outcome send(std::uint32_t kind, std::string_view text,
                             std::span<const int> descriptors = {}) noexcept;
  [[nodiscard]] Outcome receive(Message& message);
  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  /// The process that made the pair, alive or not; 0 where the kernel does not say.
  [[nodiscard]] pid_t maker() const noexcept;

 private:
  process::FileDescriptor socket_;
};

}  // namespace trivet::process
