#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/base/buffer.hpp"

namespace trivet::roles {

class Request;

/// What a request sees of the connection it came by.
///
/// Thread    [loop].
/// Lifetime  The connection tells a request with detach() before it goes.
class Peer {
 public:
  Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  virtual ~Peer() = default;

  /// Where records for the web server are appended.
  virtual base::Buffer& out() noexcept = 0;
  /// FCGI_STDOUT content of request `id`, after what is in out(). Much of it, in a turn of the connection,
  /// goes out at once from where it lies; what the web server does not take yet is copied.
  virtual void write(std::uint16_t id, base::Bytes content) = 0;
  /// Less than `window` bytes wait to be sent, or have been written since others had their turn.
  [[nodiscard]] virtual bool has_room() const noexcept = 0;
  /// Other requests are open on this connection.
  [[nodiscard]] virtual bool shared() const noexcept = 0;
  /// Something was appended, or input can be taken again: the connection looks at itself soon.
  virtual void touch() noexcept = 0;
  /// The end of a request was queued, `broken` = the connection has to close without END_REQUEST. The request
  /// is not the connection's any more when this returns.
  virtual void on_request_ended(Request& request, bool broken) = 0;
  /// Who is connected, for logs.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
};

}  // namespace trivet::roles
