#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "runtime/config/config.hpp"
#include "runtime/io/event_loop.hpp"
#include "runtime/io/transport.hpp"

namespace trivet::source {

/// How connections to one application begin.
///
/// Thread    [loop].
/// Lifetime  Outlives the transports that it made.
class Dialer {
 public:
  Dialer() = default;
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;
  virtual ~Dialer() = default;

  /// As io::Begun: what fails later fails in the transport's first write or read.
  struct Dialed {
    std::unique_ptr<io::Transport> transport;  ///< Where `error` is 0.
    int error = 0;
  };
  virtual Dialed dial(io::TransportEvents& events) = 0;
  /// For reads whose bytes are used up at once; not to be read into while somebody else's bytes are in use.
  [[nodiscard]] virtual std::span<std::uint8_t> read_buffer() noexcept = 0;
};

/// Over sockets: the address is a unix or a TCP one.
class SocketDialer final : public Dialer {
 public:
  SocketDialer(config::Address address, io::EventLoop& loop) : address_(std::move(address)), loop_(loop) {}

  Dialed dial(io::TransportEvents& events) override;
  [[nodiscard]] std::span<std::uint8_t> read_buffer() noexcept override { return loop_.read_buffer(); }

 private:
  config::Address address_;
  io::EventLoop& loop_;
};

}  // namespace trivet::source
