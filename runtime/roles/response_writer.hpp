#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/buffer.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/loop.hpp"
#include "runtime/cgi/response_head.hpp"
#include "runtime/cgi/verdict.hpp"
#include "runtime/protocol/encoder.hpp"
#include "runtime/roles/peer.hpp"

namespace trivet::roles {

/// Writes one answer to its connection: a head, a body, the end.
///
///   empty -> holding -> sending -> ended        fail() and the complete answers lead to ended from any
///
/// Output is held until the window is full, flush(), finish(), or 20 ms after the first held byte: an answer
/// that has ended by then gets a Content-Length. The head goes out as one FCGI_STDOUT record, Status first.
///
/// Thread    [loop].
/// Lifetime  Part of its Request. `peer` is unset when the connection goes: then everything written is
///           dropped.
/// Memory    Holds at most `window` bytes and what one call wrote.
/// Errors    A response that fails before its head went out becomes a plain error; after that the connection
///           is closed without an end, or, when it is shared, the request is ended with appStatus 1 (FastCGI
///           1.0, 6.2).
class ResponseWriter {
 public:
  ResponseWriter();
  ResponseWriter(const ResponseWriter&) = delete;
  ResponseWriter& operator=(const ResponseWriter&) = delete;
  ~ResponseWriter();

  void reset(Peer& peer, base::Loop& loop, const base::Limits& limits, std::uint16_t id) noexcept;
  void detach() noexcept;
  /// The request method is HEAD: bytes are counted, not sent.
  void set_head_method(bool head) noexcept { head_method_ = head; }
  /// Nothing goes out until release(): a filter may not answer before its FCGI_STDIN ended
  /// (FastCGI 1.0, 6.4).
  void hold() noexcept { held_back_ = true; }
  /// Nothing but a complete answer goes out until release(): nginx sends no more of a request's body once it
  /// has passed the head of the response on.
  void hold_unless_complete() noexcept { held_back_ = release_when_complete_ = true; }
  void release();
  /// These fields go out with whatever head does: the cookies of the guards. They outlive the answer. A
  /// failure of the host's own leaves them out where they do not fit.
  void add_to_head(const cgi::ResponseHead* more) noexcept { more_ = more; }

  /// The head of the answer, which stays where it is, and as it is, until that has ended. Empty, or why the
  /// answer failed.
  [[nodiscard]] std::string_view begin(cgi::ResponseHead& head);
  /// Bytes of the body. Empty, or why the answer failed.
  [[nodiscard]] std::string_view write(base::Bytes bytes);
  void flush();
  /// No more bytes come: the answer is complete. Empty, or why it failed.
  [[nodiscard]] std::string_view finish();

  /// An answer of the host's own, if the head has not gone out; otherwise the end that says it is cut.
  void fail(int status, std::string_view allow, int retry_after, std::uint8_t protocol_status);
  /// Ends it after ABORT (FastCGI 1.0, 5.4): before the head `status` as a plain answer with appStatus 0,
  /// after it appStatus 1.
  void abort(int status);
  /// The verdict of an authorizer that allows. Empty, or why it failed.
  template <class Find>
  [[nodiscard]] std::string_view allow(const std::vector<std::string>& declared, Find find);
  /// The head and body of a denial, whole; in one record if they fit, where that is asked for.
  [[nodiscard]] std::string_view deny(cgi::ResponseHead& head, base::Bytes body, bool in_one_record);

  [[nodiscard]] bool begun() const noexcept { return state_ != State::empty; }
  [[nodiscard]] bool head_sent() const noexcept {
    return !held_back_ && (state_ == State::sending || state_ == State::ended);
  }
  [[nodiscard]] bool ended() const noexcept { return state_ == State::ended; }
  /// It waits for release(): nothing of it has gone out.
  [[nodiscard]] bool held_back() const noexcept { return held_back_; }
  /// The answer could not be ended as FastCGI wants: the connection has to close.
  [[nodiscard]] bool broken() const noexcept { return broken_; }
  /// More output may be produced.
  [[nodiscard]] bool has_room() const noexcept;
  /// Body bytes beyond the plugin's own Content-Length were dropped.
  [[nodiscard]] bool was_cut() const noexcept { return was_cut_; }
  [[nodiscard]] int status() const noexcept { return status_; }
  /// It was ended before it was whole.
  [[nodiscard]] bool incomplete() const noexcept { return incomplete_; }
  /// Bytes of the body, without what HEAD left out.
  [[nodiscard]] std::uint64_t body_sent() const noexcept { return body_sent_; }
  /// Of the head, and the header of its record.
  [[nodiscard]] std::size_t head_bytes() const noexcept { return head_bytes_; }
  /// When the head was written.
  [[nodiscard]] base::TimePoint head_written() const noexcept { return head_written_; }
  /// The answer ended when its head was written.
  [[nodiscard]] bool whole_with_head() const noexcept { return whole_with_head_; }
  /// Starts the 20 ms clock if something is held and the answer goes on.
  void settle();

 private:
  enum class State : std::uint8_t { empty, holding, sending, ended };

  void on_held_long_enough(base::TimePoint now);
  [[nodiscard]] bool sends_body() const noexcept;
  [[nodiscard]] std::string_view send_head(std::optional<std::uint64_t> length);
  void send_held();
  void end(std::uint32_t app_status, std::uint8_t protocol_status, bool with_stream_end);
  [[nodiscard]] base::Buffer& out() noexcept { return held_back_ ? delayed_ : peer_->out(); }
  void sent() noexcept;
  void is_whole() noexcept;
  void end_verdict(std::size_t record);
  void cut();

  Peer* peer_ = nullptr;
  base::Loop* loop_ = nullptr;
  const base::Limits* limits_ = nullptr;
  const cgi::ResponseHead* head_ = nullptr;
  base::Buffer held_;
  base::Buffer delayed_;  ///< Records that wait for release().
  base::MemberTimer<ResponseWriter, &ResponseWriter::on_held_long_enough> timer_{*this};
  const cgi::ResponseHead* more_ = nullptr;
  std::size_t head_bytes_ = 0;
  std::optional<std::uint64_t> declared_;  ///< The plugin's own Content-Length.
  std::uint64_t written_ = 0;
  std::uint64_t body_sent_ = 0;
  base::TimePoint head_written_{};
  std::uint16_t id_ = 0;
  int status_ = 0;
  State state_ = State::empty;
  bool head_method_ = false;
  bool held_back_ = false;
  bool release_when_complete_ = false;
  bool in_one_record_ = false;  ///< What is held when the head goes out goes with it.
  bool broken_ = false;
  bool was_cut_ = false;
  bool incomplete_ = false;
  bool whole_with_head_ = false;
};

template <class Find>
std::string_view ResponseWriter::allow(const std::vector<std::string>& declared, Find find) {
  if (peer_ == nullptr) {
    state_ = State::ended;
    return {};
  }
  const std::size_t record = protocol::begin_record(out());
  cgi::HeadRules rules;
  rules.max_bytes = limits_->head_bytes;
  rules.max_fields = limits_->head_fields;
  rules.more = more_;
  if (const auto wrong = cgi::emit_allow(declared, find, rules, out()); !wrong.empty()) {
    out().truncate(record);
    return wrong;
  }
  head_bytes_ = out().size() - record;
  status_ = 200;
  end_verdict(record);
  return {};
}

}  // namespace trivet::roles
