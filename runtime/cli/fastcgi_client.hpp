#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/buffer.hpp"
#include "runtime/cli/input_source.hpp"
#include "runtime/process/file_descriptor.hpp"
#include "runtime/protocol/answer_decoder.hpp"
#include "runtime/protocol/record.hpp"

namespace trivet::cli {

/// What is sent.
struct ClientRequest {
  protocol::Role role = protocol::Role::responder;
  std::vector<std::pair<std::string, std::string>> params;
  InputSource body;
  InputSource data;  ///< Sent only in the role FILTER.
};

/// What comes back, as it comes. The bytes are borrowed until the call returns.
class AnswerSink {
 public:
  AnswerSink() = default;
  AnswerSink(const AnswerSink&) = delete;
  AnswerSink& operator=(const AnswerSink&) = delete;
  virtual ~AnswerSink() = default;

  /// FCGI_STDOUT. Nothing more is received until it returns. False ends the exchange: what was given cannot
  /// be used.
  virtual bool on_output(base::Bytes bytes) = 0;
  virtual void on_error_output(base::Bytes bytes) = 0;  ///< FCGI_STDERR
  virtual void on_sent(base::Bytes bytes) = 0;          ///< For traces: raw records, cut anywhere.
  virtual void on_received(base::Bytes bytes) = 0;      ///< For traces: raw records, cut anywhere.
};

struct Outcome {
  bool ended = false;  ///< END_REQUEST came.
  std::uint32_t app_status = 0;
  std::uint8_t protocol_status = 0;
  std::string problem;  ///< Why the request did not end; empty when it did, or when the sink ended it.
};

/// One request on a connection of its own (FastCGI 1.0, 3.3 and 5): sends and receives at the same time, so
/// that neither side can wait for the other for ever, and stops sending when the answer has ended.
///
///   body -> data (role FILTER) -> nothing      straight to nothing when the peer takes no more
///
/// Thread    The one that calls run(), which waits with poll().
/// Lifetime  `sink` outlives it.
/// Memory    The parameters, and two pieces of 64 KiB of what is sent; nothing of what is received.
/// Errors    An Outcome with a problem: the connection closed or broke, no byte moved for `timeout`, what
///           came back is not FastCGI or nothing an application sends, what was to be sent cannot be read.
class FastcgiClient {
 public:
  /// `socket` does not block.
  FastcgiClient(process::FileDescriptor socket, ClientRequest request, AnswerSink& sink,
                std::chrono::milliseconds timeout);

  /// Once.
  [[nodiscard]] Outcome run();

 private:
  /// The stream that is read from and sent next; BEGIN_REQUEST and the parameters are queued before.
  enum class Sending : std::uint8_t { body, data, nothing };
  using Clock = std::chrono::steady_clock;

  void queue_start();
  [[nodiscard]] InputSource& source() noexcept {
    return sending_ == Sending::data ? request_.data : request_.body;
  }
  [[nodiscard]] protocol::RecordType stream_type() const noexcept;
  void refill();
  void end_stream();
  void step();
  void send();
  void receive();
  void take(base::Bytes bytes);
  [[nodiscard]] std::string fault(base::Bytes rest) const;
  void fail(std::string problem);

  process::FileDescriptor socket_;
  ClientRequest request_;
  AnswerSink& sink_;
  std::chrono::milliseconds timeout_;
  Clock::time_point moved_;  ///< When the last byte did, in any direction.
  Sending sending_ = Sending::body;
  base::Buffer out_;
  base::Buffer piece_;
  protocol::AnswerDecoder decoder_;
  std::string send_problem_;
  Outcome outcome_;
  bool over_ = false;
};

}  // namespace trivet::cli
