#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/base/buffer.hpp"
#include "runtime/cgi/head_reader.hpp"
#include "runtime/roles/input_queue.hpp"
#include "runtime/roles/patience.hpp"
#include "runtime/roles/stage.hpp"
#include "runtime/source/application.hpp"
#include "runtime/source/error_lines.hpp"
#include "runtime/source/link_pool.hpp"
#include "runtime/source/request_params.hpp"

namespace trivet::source {

/// One request that another FastCGI application answers.
///
///   created -> collecting? -> waiting -> exchanging -> over        a failure and cancel() lead to over from
///   any
///
///   collecting  a body without a length is kept until its end (unless `stream`), because PHP reads none
///               without CONTENT_LENGTH
///   waiting     for one of `connections`, or for a place in the application's backlog
///   exchanging  the body goes out and the answer comes in, at the same time; the answer may end first
///
/// A link that the application closed before it sent a byte is replaced once by a new connection, if it was a
/// kept one and the request may be sent again: nothing of it was taken, or its method is idempotent (RFC
/// 9110, 9.2.2) and all that was sent is still there. A client that is gone closes the link, which is all
/// that tells PHP-FPM: it does not read FCGI_ABORT_REQUEST.
///
/// Thread    [loop].
/// Lifetime  As roles::Stage; never busy(). `source` outlives it.
/// Memory    A window of the body on its way out, up to twice while it might have to be sent again; what is
///           collected is in `spool_memory` and the spool. Of the answer nothing but its head.
/// Errors    404, 403, 500: there is no script. 413, 503: the body cannot be kept. 503: no connection became
///           free within `connect_timeout`, or the application said that it is overloaded. 504: it did not
///           take the connection within that time, or no head came within `timeout`. 502: everything else.
///           After the head each of them cuts the answer.
class ApplicationStage final : public roles::Stage,
                               private Link::User,
                               private LinkPool::Client,
                               private roles::Patience::Owner {
 public:
  ApplicationStage(Application& source, roles::StageSink& sink, const roles::CallFacts& facts);
  ~ApplicationStage() override;
  ApplicationStage(const ApplicationStage&) = delete;
  ApplicationStage& operator=(const ApplicationStage&) = delete;

  void start() override;
  void input(roles::StageInput lane, base::Bytes bytes) override;
  void end_input(roles::StageInput lane, trivet_end end) override;
  [[nodiscard]] bool has_room(roles::StageInput lane) const noexcept override;
  [[nodiscard]] std::size_t kept() const noexcept override { return unsent(); }
  void resume() override;
  void cancel() override { leave(false); }
  [[nodiscard]] bool busy() const noexcept override { return false; }
  [[nodiscard]] bool waits_for_peer() const noexcept override;

 private:
  enum class State : std::uint8_t { created, collecting, waiting, exchanging, over };
  static constexpr std::size_t index = 0;  ///< A source is the first stage.

  void on_link(Link& link, Link::Event event) override;
  void on_link_free() override;
  void on_patience_over(roles::Patience& which) override;
  void on_connect_timeout(base::TimePoint now);
  void on_dial_again(base::TimePoint now);
  void on_stall(base::TimePoint now);

  [[nodiscard]] bool find_script();
  void redirect_to_folder();
  void ask_for_link(LinkPool::Choice choice);
  void begin_exchange(std::unique_ptr<Link> link);

  [[nodiscard]] std::size_t unsent() const noexcept { return out_.size() - sent_; }
  void keep(base::Bytes bytes);
  void refill();
  void send();
  void sent(std::size_t bytes);
  void on_send_failed(int error);
  void no_repeat() noexcept;
  [[nodiscard]] bool repeat();

  void read();
  void take(base::Bytes bytes);
  void take_output(base::Bytes bytes);
  void expect_body(const cgi::ResponseHead& head);
  void take_end(base::Bytes rest);
  void on_closed(int error);
  void fail(int status, std::string text);
  /// Nothing more is wanted of the application; true where the link can be used again.
  void leave(bool reusable);
  void settle();
  void moved() noexcept { last_moved_ = facts_.loop->now(); }
  void tell(log::Level level, std::string_view event, std::string_view what) const;
  void tell_error_output(base::Bytes bytes, bool last);

  Application& source_;
  roles::StageSink& sink_;
  const roles::CallFacts& facts_;
  std::unique_ptr<Link> link_;
  ParamOverrides overrides_;
  roles::InputQueue body_;        ///< What came and is not in out_.
  std::uint16_t request_id_ = 0;  ///< 1 or 2, whichever the link's last request had not.
  std::uint64_t body_size_ = 0;   ///< What was collected.
  base::Buffer out_;  ///< Records; the first `sent_` bytes went out, and are kept to be sent again.
  std::size_t sent_ = 0;
  std::size_t start_size_ = 0;  ///< Of everything up to the end of FCGI_PARAMS.
  cgi::HeadReader head_;
  std::uint64_t missing_ = 0;  ///< Of the body, by the answer's own Content-Length.
  ErrorLines error_lines_;
  roles::Patience patience_{
      *this};  ///< `timeout`, until the head; stands still while the web server owes bytes.
  base::MemberTimer<ApplicationStage, &ApplicationStage::on_connect_timeout> connect_timer_{*this};
  base::MemberTimer<ApplicationStage, &ApplicationStage::on_dial_again> dial_timer_{*this};
  base::MemberTimer<ApplicationStage, &ApplicationStage::on_stall> stall_timer_{*this};
  base::TimePoint last_moved_{};
  State state_ = State::created;
  bool input_ended_ = false;
  bool stdin_closed_ = false;  ///< The end of FCGI_STDIN is in out_.
  bool idempotent_ = false;
  bool was_repeated_ = false;
  bool may_repeat_ = false;    ///< What was sent is kept.
  bool deaf_ = false;          ///< The application takes no more; its answer may still come.
  bool reading_ = false;       ///< The link is awaited, or being read.
  bool answer_begun_ = false;  ///< A byte came.
  bool output_ended_ = false;
};

}  // namespace trivet::source
