#pragma once

#include <memory>
#include <vector>

#include "runtime/roles/loop_stage.hpp"
#include "runtime/roles/response_writer.hpp"
#include "runtime/roles/route.hpp"
#include "runtime/roles/stage.hpp"

namespace trivet::roles {

/// The source and filters of one request, in a row, ending in its ResponseWriter.
///
/// A stage is started when the one before it gave its first output: then the head is known, and it may change
/// it. Bytes are pushed down at once; a stage is given more only while everything after it has room.
///
/// Thread    [loop].
/// Lifetime  Part of its Request; not cleared before busy() is false.
class Chain final : private StageSink {
 public:
  class Owner {
   public:
    Owner() = default;
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    virtual ~Owner() = default;
    virtual void on_chain_failed(StageFailure failure) = 0;
    virtual void on_chain_ended() = 0;  ///< The answer is complete in the writer.
    /// Something happened outside of any call into the chain: the request looks at itself. The last thing
    /// that a stage does in its call, so the chain may be cleared inside.
    virtual void on_chain_progress() = 0;
  };

  Chain(Owner& owner, ResponseWriter& writer);
  ~Chain() override;

  /// Sets the stages of a route up; `with_source`: what it responds with is the first. `body_to_filter`: one
  /// filter is given FCGI_STDIN.
  void build(const Route& route, bool with_source, bool body_to_filter, const CallFacts& facts);
  [[nodiscard]] bool empty() const noexcept { return stages_.empty(); }
  /// The head before the first stage: for a FILTER what the web server's data says.
  [[nodiscard]] cgi::ResponseHead& initial_head() noexcept { return head_; }
  void start();

  /// For the first stage.
  void input(StageInput lane, base::Bytes bytes) { stages_.front()->input(lane, bytes); }
  void end_input(StageInput lane, trivet_end end) { stages_.front()->end_input(lane, end); }
  [[nodiscard]] bool has_room(StageInput lane) const noexcept {
    return stages_.front()->has_room(lane) && has_room_after(0);
  }

  /// The filter that is given FCGI_STDIN, or npos.
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  [[nodiscard]] std::size_t body_filter() const noexcept { return body_filter_; }
  void body_input(base::Bytes bytes) { stages_[body_filter_]->input(StageInput::body, bytes); }
  void end_body(trivet_end end) { stages_[body_filter_]->end_input(StageInput::body, end); }
  [[nodiscard]] bool body_has_room() const noexcept {
    return started_ > body_filter_ && stages_[body_filter_]->has_room(StageInput::body);
  }

  /// FCGI_STDIN is given to a filter behind others: it starts with their first output.
  [[nodiscard]] bool body_is_for_a_later_filter() const noexcept {
    return body_filter_ != npos && body_filter_ > 0;
  }
  [[nodiscard]] bool body_waits_for_data() const noexcept {
    return body_is_for_a_later_filter() && started_ <= body_filter_;
  }

  /// There is room in the writer again, or some stage made progress.
  void resume();
  void cancel();
  [[nodiscard]] bool busy() const noexcept;
  [[nodiscard]] bool waits_for_peer() const noexcept;
  [[nodiscard]] std::size_t kept() const noexcept;
  void clear();

 private:
  cgi::ResponseHead* head(std::size_t index) noexcept override;
  void on_output(std::size_t index, base::Bytes bytes) override;
  void on_flush(std::size_t index) override;
  void on_done(std::size_t index) override;
  void on_failed(std::size_t index, StageFailure failure) override;
  [[nodiscard]] bool has_room_after(std::size_t index) const noexcept override;
  void on_progress(std::size_t index) override;

  /// The head goes from stage `index` to what comes after it. False when that failed.
  bool pass_head_on(std::size_t index);
  bool refuse_unfilterable();
  void start_stage(std::size_t index);
  void check(std::string_view wrong);

  Owner& owner_;
  ResponseWriter& writer_;
  cgi::ResponseHead head_;
  LoopStage first_loop_stage_;
  std::vector<std::unique_ptr<Stage>> owned_;
  std::vector<Stage*> stages_;
  std::vector<const plugin::Plugin*> plugins_;  ///< One for each stage; null: its source is no plugin.
  std::size_t started_ = 0;                     ///< Stages below this were started.
  std::size_t head_owner_ = 0;  ///< The stage that may change the head; stages_.size(): the writer has it.
  std::size_t body_filter_ = npos;
  bool filters_change_body_ = false;
  bool has_source_ = false;
  bool failed_ = false;
};

}  // namespace trivet::roles
