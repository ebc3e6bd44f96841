#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/cgi/params.hpp"
#include "runtime/protocol/demultiplexer.hpp"
#include "runtime/roles/admission.hpp"
#include "runtime/roles/chain.hpp"
#include "runtime/roles/environment.hpp"
#include "runtime/roles/guard_plan.hpp"
#include "runtime/roles/inlet.hpp"
#include "runtime/roles/patience.hpp"
#include "runtime/roles/peer.hpp"
#include "runtime/roles/response_writer.hpp"

namespace trivet::roles {

/// One request, from FCGI_BEGIN_REQUEST to FCGI_END_REQUEST, in any role.
///
///   params -> parked? -> guards -> running -> over         a refusal, a denial, an abort lead to over from
///   any
///
/// Thread    [loop] for every member.
/// Lifetime  From the Environment's pool. Held by its connection until that detaches it, and by the plugin
/// calls that
///           run; who lets go last gives it back. Detaching cancels and returns at once.
/// Memory    Parameters up to `params_bytes`; input that no stage takes up to `spool_memory`, then the spool;
/// output up
///           to `window`. Nothing is allocated in steady state when its plugins run on the loop.
/// Errors    Every failure is a complete answer with an explicit Status, or ends the connection; logged once.
class Request final : public protocol::RequestInput,
                      private Chain::Owner,
                      private GuardPlan::Owner,
                      private Patience::Owner {
 public:
  /// What the connection knows of where the request came from.
  struct Origin {
    std::uint32_t listener = 0;
    bool accept_steering = true;
  };

  explicit Request(Environment& environment);
  ~Request() override;

  void begin(Peer& peer, const protocol::BeginRequest& begin, const Origin& origin);
  /// The connection lets go: answered, or gone. Cancels what runs and gives the request back as soon as it
  /// can.
  void detach();

  [[nodiscard]] std::uint16_t id() const noexcept { return id_; }
  [[nodiscard]] bool keep_connection() const noexcept { return keep_connection_; }
  /// Its last record was queued, or the connection has to break.
  [[nodiscard]] bool over() const noexcept { return state_ == State::over; }
  /// The web server has sent everything that belongs to it.
  [[nodiscard]] bool input_complete() const noexcept {
    switch (role_) {
      case protocol::Role::authorizer:
        return state_ != State::params;
      case protocol::Role::responder:
        return body_.ended;
      case protocol::Role::filter:
        return data_.ended;
    }
    return true;
  }
  [[nodiscard]] bool params_ended() const noexcept { return state_ != State::params; }
  [[nodiscard]] base::TimePoint begun() const noexcept { return begun_; }
  /// When the last byte of its input came.
  [[nodiscard]] base::TimePoint last_input() const noexcept { return last_input_; }
  /// What it keeps of its input beyond what its stages took: the connection pauses reading above the window.
  [[nodiscard]] std::uint64_t kept() const noexcept;
  /// However much it keeps, reading has to go on: what it keeps it can use only with what the web server
  /// still has to send, or its output waits for a web server that may itself wait until its whole body is
  /// taken.
  [[nodiscard]] bool needs_input() const noexcept;

  /// The peer took too long: header_time or stall_time.
  void time_out(std::string_view what);
  /// The host was full before it began: answered with OVERLOADED (FastCGI 1.0, 5.5).
  void refuse_overload(std::string_view why);
  /// The connection has room for output again.
  void resume();
  /// The host is stopping and the parameters are not complete: it will not begin.
  void refuse_stopping();

  // protocol::RequestInput
  void on_params(base::Bytes bytes) override;
  void on_params_end() override;
  void on_body(base::Bytes bytes) override;
  void on_body_end() override;
  void on_data(base::Bytes bytes) override;
  void on_data_end() override;
  void on_aborted() override;
  void on_violation(std::string_view what) override;

 private:
  enum class State : std::uint8_t {
    idle,     ///< In the pool.
    params,   ///< FCGI_PARAMS are coming.
    parked,   ///< Complete, but the connection has no room for an answer.
    guards,   ///< A guard is asked.
    running,  ///< Source and filters work.
    over,
  };

  void on_chain_failed(StageFailure failure) override;
  void on_chain_ended() override;
  void on_chain_progress() override;
  void on_guards_done() override;
  void on_guards_idle() override;
  void on_guard_note(GuardPlan::Note note, const GuardAnswer& answer) override;
  void on_undeclared_variable(std::string_view name) override;
  void on_patience_over(Patience& which) override;

  void start();
  [[nodiscard]] bool read_params();
  [[nodiscard]] bool let_in();
  void prepare_guards();
  void judge_guards();
  void guards_passed();
  void answer_allow();
  void answer_deny();
  [[nodiscard]] int translated(int status);
  void run_chain();
  void hide_from_source();
  [[nodiscard]] std::string_view fill_initial_head();
  void expect_input();

  void receive(Inlet& inlet, base::Bytes bytes);
  void receive_end(Inlet& inlet);
  void pump();
  void settle();
  bool pump_inlet(Inlet& inlet);
  [[nodiscard]] bool inlet_has_room(const Inlet& inlet) const noexcept;
  void pass_on(Inlet& inlet, base::Bytes bytes);
  [[nodiscard]] bool sees_short(const Inlet& inlet) const noexcept;

  void refuse(int status, std::string_view reason, std::string_view allow = {},
              std::uint8_t protocol_status = 0);
  void tell(log::Level level, std::string_view event, int status, std::string_view reason);
  void tell_once(std::uint32_t bit, std::string_view event, std::string_view reason,
                 log::Level level = log::Level::error);
  void answered();
  void hold_no_longer();
  void let_go_if_idle();
  [[nodiscard]] bool busy() const noexcept;
  [[nodiscard]] bool waits_for_peer() const noexcept;
  [[nodiscard]] std::string_view route_name() const noexcept;
  void take_id();
  enum class End : std::uint8_t {
    complete,
    cut,      ///< It failed after its head.
    aborted,  ///< By the web server.
    gone,     ///< The connection was.
  };
  void tell_access(End end);

  Environment& env_;
  Peer* peer_ = nullptr;
  Origin origin_;
  std::uint64_t number_ = 0;
  std::uint16_t id_ = 0;
  protocol::Role role_ = protocol::Role::responder;
  State state_ = State::idle;
  bool keep_connection_ = false;
  bool params_refused_ = false;
  Slice slice_ = Slice::responder;
  const cgi::Dialect* dialect_ = nullptr;  ///< Null: not an authorizer's answer, or not known yet.
  const Route* route_ = nullptr;
  int status_after_guards_ = 0;

  base::Buffer params_block_;
  cgi::Params params_;
  AdmissionScratch scratch_;
  Admission admission_;
  std::array<char, 16> id_text_{};  ///< The host's own name for it: the worker's seed, its number.
  CallFacts facts_;
  cgi::Params
      source_params_;  ///< Without what a source behind filters does not see; the texts are in params_.
  CallFacts source_facts_;

  GuardPlan guards_{*this};
  std::string_view method_;  ///< By which routes and guards were chosen. Empty: unknown.

  Inlet body_;
  Inlet data_;
  base::TimePoint begun_{};
  base::TimePoint last_input_{};
  /// For the access log: when each stage was over. Unset: not reached, or there was none.
  struct Stamps {
    base::TimePoint params{};
    base::TimePoint guards{};
  } stamps_;
  bool aborted_ = false;

  ResponseWriter writer_;
  Chain chain_{*this, writer_};
  Patience patience_{*this};  ///< The route's timeout.
  bool inside_ = false;       ///< pump() runs: it is not entered again from below.
};

}  // namespace trivet::roles
