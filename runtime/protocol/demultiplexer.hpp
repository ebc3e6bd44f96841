#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/base/buffer.hpp"
#include "runtime/base/bytes.hpp"
#include "runtime/protocol/record.hpp"

namespace trivet::protocol {

/// What the records of one request id bring. The bytes are borrowed until the call returns.
///
/// Order     params* params_end (body* body_end)? (data* data_end)?, in role order; aborted and violated
///           may come at any point and are the last call, except that nothing comes after release().
class RequestInput {
 public:
  RequestInput() = default;
  RequestInput(const RequestInput&) = delete;
  RequestInput& operator=(const RequestInput&) = delete;
  virtual ~RequestInput() = default;

  virtual void on_params(base::Bytes bytes) = 0;  ///< Raw pairs, cut anywhere.
  virtual void on_params_end() = 0;               ///< The empty PARAMS record came; nothing else ends PARAMS.
  virtual void on_body(base::Bytes bytes) = 0;    ///< FCGI_STDIN
  virtual void on_body_end() = 0;
  virtual void on_data(base::Bytes bytes) = 0;  ///< FCGI_DATA; only for a filter
  virtual void on_data_end() = 0;
  virtual void on_aborted() = 0;  ///< FCGI_ABORT_REQUEST
  /// The peer broke the order of streams: the request gets 400, the connection goes on.
  virtual void on_violation(std::string_view what) = 0;
};

/// FCGI_BEGIN_REQUEST (FastCGI 1.0, 5.1) with a role that FastCGI defines.
struct BeginRequest {
  std::uint16_t id;
  Role role;
  bool keep_connection;
};

/// What a Demultiplexer finds that is not the input of one request.
class ConnectionEvents {
 public:
  ConnectionEvents() = default;
  ConnectionEvents(const ConnectionEvents&) = delete;
  ConnectionEvents& operator=(const ConnectionEvents&) = delete;
  virtual ~ConnectionEvents() = default;

  /// A request begins. Gives what shall receive its input (alive until release(id) or the end of the
  /// Demultiplexer), or null when it was refused and answered: then its id is inactive again.
  virtual RequestInput* on_begin(const BeginRequest& begin) = 0;
  /// A role that FastCGI does not define was answered with UNKNOWN_ROLE. The connection is to be closed
  /// after its other requests if `keep_connection` is false (FastCGI 1.0, 5.5).
  virtual void on_unknown_role(std::uint16_t id, bool keep_connection) = 0;
};

/// What FCGI_GET_VALUES is answered with (FastCGI 1.0, 4.1).
struct Capacity {
  std::size_t max_connections;
  std::size_t max_requests;
};

/// Turns the bytes of one connection into the input of its requests, and answers management records.
///
/// Thread    [loop]; no I/O, no clock.
/// Lifetime  `events` and `out` outlive it. release() may be called inside any RequestInput call.
/// Memory    One small entry per open request; a management record up to 64 KiB is gathered only when it
///           arrives in pieces. An idle connection with no open request holds no heap memory.
/// Errors    feed() returns what ended the connection, once; after that it takes no more bytes.
class Demultiplexer {
 public:
  /// Answers to management records and refusals are appended to `out`.
  Demultiplexer(ConnectionEvents& events, base::Buffer& out, const Capacity& capacity) noexcept;
  Demultiplexer(const Demultiplexer&) = delete;
  Demultiplexer& operator=(const Demultiplexer&) = delete;
  ~Demultiplexer();

  /// Takes all of `bytes`. Empty when all is well; otherwise why the connection must end without an answer
  /// (FastCGI broken beyond one request), a static text for the log.
  [[nodiscard]] std::string_view feed(base::Bytes bytes);

  /// END_REQUEST for `id` was queued: the id is free again, what still comes for it is ignored
  /// (FastCGI 1.0, 3.3). May be called from inside feed().
  void release(std::uint16_t id) noexcept;

  /// No partial record is held: the next byte starts a record.
  [[nodiscard]] bool at_record_boundary() const noexcept;
  [[nodiscard]] std::size_t open_requests() const noexcept;
  /// Counts of what was ignored, for statistics: records of inactive ids, surplus streams.
  [[nodiscard]] std::uint64_t ignored_records() const noexcept;
  // The private part is the implementation's choice.
};

}  // namespace trivet::protocol
