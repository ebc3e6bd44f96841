#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "runtime/base/buffer.hpp"
#include "runtime/base/bytes.hpp"
#include "runtime/protocol/management.hpp"
#include "runtime/protocol/record.hpp"
#include "runtime/protocol/record_decoder.hpp"
#include "runtime/protocol/request_table.hpp"

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

/// Turns the bytes of one connection into the input of its requests, and answers management records.
///
/// What ends the connection, because no later record could be trusted: another version, BEGIN_REQUEST with
/// a body of another length than eight bytes, with id 0 or with an id that is active, any other type that
/// belongs to a request with id 0, a type that only an application sends, GET_VALUES with broken pairs.
/// What ends one request: its streams out of order, until its input is complete. Its input is complete with
/// the last stream of its role: the empty PARAMS of an authorizer, the empty STDIN of a responder, the empty
/// DATA of a filter. Nothing the peer sends after that, but ABORT_REQUEST, reaches the request.
/// What is ignored and counted: records of inactive ids; of unknown types and GET_VALUES with an id that is
/// not 0; of streams that the role lacks (an empty STDIN for an authorizer is ordinary and not counted); all
/// of an id that was aborted or violated; streams after complete input.
///
/// Frozen, it begins no request: what belongs to ids that are not open is kept aside, byte for byte, while
/// open requests and management records go on as ever. When no request is open any more, another
/// Demultiplexer that is fed what was kept, and then what still comes, goes on where this one is. So a
/// connection that never idles can be handed over.
///
/// Thread    [loop]; no I/O, no clock.
/// Lifetime  `events` and `out` outlive it. release() of any id may be called inside any call it makes; it
///           is neither fed nor destroyed there.
/// Memory    One small entry per open request; a management record up to 64 KiB is gathered only when it
///           arrives in pieces. Frozen: what is kept aside, as long as no more than room() is fed. An idle
///           connection with no open request holds no heap memory. `out` grows by less than three bytes per
///           byte fed.
/// Errors    feed() returns what ended the connection; after that it takes no more bytes, and says the same
///           again. Requests stay open until release(): the owner lets those finish whose input is complete.
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
  /// The same for every request that is open.
  void release_all() noexcept;

  /// An abort need not be told any more: where its input is complete, what received it may go now, while the
  /// id stays active until release(). Otherwise gives false. May be called from inside feed().
  bool forget(std::uint16_t id) noexcept;

  /// No partial record is held: the next byte starts a record. Never after feed() failed.
  [[nodiscard]] bool at_record_boundary() const noexcept;
  /// How many of the coming bytes belong to the current record for certain: reading no more than that, as
  /// often as it is not zero, stops exactly at a record boundary. Zero after feed() failed.
  [[nodiscard]] std::size_t bytes_to_boundary() const noexcept;
  [[nodiscard]] std::size_t open_requests() const noexcept;
  /// Whether every stream of an open request's role came to its end, and neither an abort nor a violation.
  [[nodiscard]] bool input_complete(std::uint16_t id) const noexcept;
  /// Counts of what was ignored, for statistics: records of inactive ids, surplus streams.
  [[nodiscard]] std::uint64_t ignored_records() const noexcept;

  /// Keeps `most` bytes aside at most, which is more than a header. Not inside feed().
  void freeze(std::size_t most);
  [[nodiscard]] bool is_frozen() const noexcept { return aside_ != nullptr; }
  /// Frozen: how many bytes it can be fed, however they are to be kept. At zero a record boundary, or the
  /// middle of a record that is kept.
  [[nodiscard]] std::size_t room() const noexcept;
  /// Begins what was kept aside, and is not frozen any more. Tells what feed() would.
  [[nodiscard]] std::string_view thaw();
  /// Nothing is open, and nothing is held but what take_kept() gives.
  [[nodiscard]] bool can_move() const noexcept;
  /// When it can move: bytes of requests that have not begun here. It is as new, and not frozen, afterwards.
  [[nodiscard]] base::Buffer take_kept();

 private:
  /// Of a frozen one.
  struct Aside {
    base::Buffer bytes;
    std::size_t left = 0;  ///< Of the record that is being kept, padding included.
    std::size_t most = 0;
  };

  /// What is done with the content and the end of the current record.
  enum class Action : std::uint8_t { skip, begin, abort, params, body, data, get_values };

  void take_record(base::Bytes content);
  void start_record();
  void start_begin();
  [[nodiscard]] bool may_begin(const OpenRequest* active) noexcept;
  void start_input();
  void start_stream(OpenRequest& request, RecordType type);
  void take_content(base::Bytes content);
  void finish_record();
  void begin(base::Bytes body);
  void finish_stream();
  static void end_stream(OpenRequest& request);
  void abort();
  void violate(OpenRequest& request, std::string_view what);
  void drop_rest_of_record() noexcept;
  void answer_values(base::Bytes query);
  void ignore() noexcept { ++ignored_; }
  [[nodiscard]] bool is_for_later() const noexcept;
  void keep_record(base::Bytes content);
  void keep_rest(base::Bytes& bytes);
  void thaw_and_fail();
  void fail(std::string_view reason) noexcept { failure_ = reason; }

  ConnectionEvents& events_;
  base::Buffer& out_;
  Capacity capacity_;
  RecordDecoder decoder_;
  RequestTable requests_;
  /// Who receives the current record; null where that is nobody, and once its request was released.
  RequestInput* target_ = nullptr;
  Action action_ = Action::skip;
  std::uint8_t begin_held_ = 0;
  std::array<std::uint8_t, 8> begin_body_{};
  base::Buffer gathered_;  ///< The content of a GET_VALUES record that arrives in pieces.
  std::string_view failure_;
  std::unique_ptr<Aside> aside_;  ///< While it is frozen.
  std::uint64_t ignored_ = 0;
};

}  // namespace trivet::protocol
