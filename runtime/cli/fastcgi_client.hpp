#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/buffer.hpp"
#include "runtime/base/error.hpp"
#include "runtime/cli/input_source.hpp"
#include "runtime/config/config.hpp"
#include "runtime/protocol/record.hpp"
#include "runtime/protocol/record_decoder.hpp"

namespace trivet::cli {

/// What is sent.
struct ClientRequest {
  protocol::Role role = protocol::Role::responder;
  std::vector<std::pair<std::string, std::string>> params;
  InputSource body;
  InputSource data;  ///< Sent only in the role FILTER.
};

/// What comes back, as it comes.
class AnswerSink {
 public:
  AnswerSink() = default;
  AnswerSink(const AnswerSink&) = delete;
  AnswerSink& operator=(const AnswerSink&) = delete;
  virtual ~AnswerSink() = default;

  /// False ends the exchange: what was given cannot be used.
  virtual bool on_output(base::Bytes bytes) = 0;
  virtual void on_error_output(base::Bytes bytes) = 0;
  virtual void on_sent(base::Bytes bytes) = 0;      ///< For traces: raw records.
  virtual void on_received(base::Bytes bytes) = 0;  ///< For traces: raw records.
};

struct Outcome {
  bool ended = false;  ///< END_REQUEST came.
  std::uint32_t app_status = 0;
  std::uint8_t protocol_status = 0;
  std::string problem;  ///< Why it did not end well; empty when it did.
};

/// A connected socket, or why there is none.
[[nodiscard]] base::Result<int> connect_to(const config::Address& address);

/// One request on a connection of its own (FastCGI 1.0, 3.3 and 5): sends and receives at the same time, so
/// that neither side can wait for the other for ever, and stops sending when the answer has ended.
class FastcgiClient {
 public:
  /// Takes the socket over.
  FastcgiClient(int socket, ClientRequest request, AnswerSink& sink, std::chrono::milliseconds timeout);
  ~FastcgiClient();
  FastcgiClient(const FastcgiClient&) = delete;
  FastcgiClient& operator=(const FastcgiClient&) = delete;

  [[nodiscard]] Outcome run();

 private:
  /// What is sent next: params were queued first.
  enum class Sending : std::uint8_t { body, data, nothing };

  void queue_start();
  void refill();
  void end_stream();
  void send();
  void receive();
  void take(base::Bytes bytes);
  void finish_record();
  void fail(std::string problem);

  int socket_;
  ClientRequest request_;
  AnswerSink& sink_;
  std::chrono::milliseconds timeout_;
  Sending sending_ = Sending::body;
  base::Buffer out_;
  base::Buffer piece_;
  protocol::RecordDecoder decoder_;
  std::string end_content_;
  std::string send_problem_;
  Outcome outcome_;
  bool over_ = false;
};

}  // namespace trivet::cli
