#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/base/bytes.hpp"

namespace trivet::io {

/// What one read or write did.
struct Transfer {
  enum class Status : std::uint8_t { ok, would_block, end, failed };
  Status status = Status::ok;
  std::size_t bytes = 0;  ///< > 0 only where status is ok
  int error = 0;          ///< errno where status is failed
};

/// What a transport tells its owner; each call may destroy the transport.
class TransportEvents {
 public:
  TransportEvents() = default;
  TransportEvents(const TransportEvents&) = delete;
  TransportEvents& operator=(const TransportEvents&) = delete;
  virtual ~TransportEvents() = default;

  virtual void on_readable() = 0;
  virtual void on_writable() = 0;
  /// The peer is gone in both directions, seen while nothing is being read.
  virtual void on_hangup() = 0;
};

/// One connected byte stream that never blocks: a socket, or a test's stand-in for one.
///
/// Thread    [loop].
/// Lifetime  Owned by its connection, which is also its TransportEvents. Destroying it closes the socket (not
///           after release()) and drops what was awaited: no event comes after that.
/// Errors    As Transfer; EINTR is handled inside. After `end` or `failed` only close is left for that
/// direction.
class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  /// One read. `end`: the peer sends no more.
  virtual Transfer read(std::span<std::uint8_t> into) noexcept = 0;
  /// How many pieces one write takes after its first.
  static constexpr std::size_t most_pieces = 20;
  /// One write of several pieces in a row, of which any may be empty. Where it wrote less than all of them,
  /// no more is taken for now.
  virtual Transfer write(base::Bytes first, std::span<const base::Bytes> more) noexcept = 0;

  /// Asks for one on_readable() when bytes or the end have arrived. Asking twice is asking once.
  virtual void await_readable() = 0;
  /// Takes the wish back: bytes may arrive without on_readable(); a hang-up is still told.
  virtual void pause_reading() = 0;
  /// Asks for one on_writable().
  virtual void await_writable() = 0;

  /// After the last answer: tells the peer that nothing more comes. Reading goes on.
  virtual void shutdown_write() noexcept = 0;
  /// After `end`: whether the peer closed both directions (it will not read the answer either). For TCP false
  /// until the kernel knows.
  [[nodiscard]] virtual bool peer_gone() const noexcept = 0;

  /// Gives the descriptor away, open and with all bytes that were not read; what was awaited is dropped.
  /// After that only destroying is left.
  [[nodiscard]] virtual int release() noexcept = 0;
};

}  // namespace trivet::io
