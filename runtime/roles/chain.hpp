#pragma once

#include <memory>
#include <vector>

#include "runtime/cgi/conditional.hpp"
#include "runtime/roles/filtered_head.hpp"
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
/// Filters own the head. One whose conditions do not fit the head when its turn comes, or that passes, is
/// out: what it would be given goes to the next. The first that is not makes the host look at what the source
/// said: a file that the web server would send past it is refused, a part or an answer without a body goes on
/// without it. Once a filter has given output, what was true of the bytes before it leaves the head. Where
/// all filters that may have a part in it are pure, the host makes an ETag of its own. Conditions of a GET or
/// HEAD are decided here: as soon as that ETag is known, else when the head is ready. For HEAD filters are
/// opened, so that they can say what they would say of GET, and nothing else.
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

  /// Sets the stages of a route up; `with_source`: what it responds with is the first, and reads
  /// `source_facts`. `body_to_filter`: one filter is given FCGI_STDIN.
  void build(const Route& route, bool with_source, bool body_to_filter, const CallFacts& facts,
             const CallFacts& source_facts);
  [[nodiscard]] bool empty() const noexcept { return stages_.empty(); }
  /// The head before the first stage: for a FILTER what the web server's data says.
  [[nodiscard]] cgi::ResponseHead& initial_head() noexcept { return head_; }
  void start();

  /// For the first stage.
  void input(StageInput lane, base::Bytes bytes);
  void end_input(StageInput lane, trivet_end end);
  [[nodiscard]] bool has_room(StageInput lane) const noexcept {
    return (links_.front().out || stages_.front()->has_room(lane)) && has_room_after(0);
  }

  /// The filter that is given FCGI_STDIN, or npos.
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  [[nodiscard]] std::size_t body_filter() const noexcept { return body_filter_; }
  /// Where that filter is out, FCGI_STDIN is dropped.
  void body_input(base::Bytes bytes) {
    if (!links_[body_filter_].out) stages_[body_filter_]->input(StageInput::body, bytes);
  }
  void end_body(trivet_end end) {
    if (!links_[body_filter_].out) stages_[body_filter_]->end_input(StageInput::body, end);
  }
  [[nodiscard]] bool body_has_room() const noexcept {
    return started_ > body_filter_ &&
           (links_[body_filter_].out || stages_[body_filter_]->has_room(StageInput::body));
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
  // One whose plugin runs on the loop is never busy, and waits for nobody but the peer; owned_ has the
  // others.
  [[nodiscard]] bool busy() const noexcept { return !owned_.empty() && is_any_busy(); }
  [[nodiscard]] bool waits_for_peer() const noexcept { return owned_.empty() || do_all_wait_for_peer(); }
  [[nodiscard]] std::size_t kept() const noexcept;
  void clear();

 private:
  /// What is known of a stage from outside.
  struct Link {
    const plugin::Plugin* plugin = nullptr;           ///< Null: a source that is no plugin.
    const config::FilterStage* conditions = nullptr;  ///< Of a filter.
    bool out = false;                                 ///< It has no part in the answer.
  };

  cgi::ResponseHead* head(std::size_t index) noexcept override;
  void on_open(std::size_t index, bool passes) override;
  void on_output(std::size_t index, base::Bytes bytes) override;
  void on_flush(std::size_t index) override;
  void on_done(std::size_t index) override;
  void on_failed(std::size_t index, StageFailure failure) override;
  [[nodiscard]] bool has_room_after(std::size_t index) const noexcept override;
  void on_progress(std::size_t index) override;
  [[nodiscard]] bool is_any_busy() const noexcept;
  [[nodiscard]] bool do_all_wait_for_peer() const noexcept;

  [[nodiscard]] LoopStage& more_loop_stage();
  void add(const plugin::Plugin& plugin, const config::FilterStage* conditions, bool takes_body,
           const CallFacts& facts);
  /// The head goes from stage `index` to what comes after it. False when that failed, or was answered.
  bool pass_head_on(std::size_t index);
  /// Starts the next stage that has a part in the answer, or begins the answer.
  void take_turn();
  [[nodiscard]] bool has_part(std::size_t index);
  void meet_first_filter(std::size_t index);
  void make_tag(std::size_t first);
  void body_changes();
  [[nodiscard]] cgi::Condition judge(const cgi::Validators& validators) const;
  void begin_answer();
  void answer_not_modified();
  void answer_head_alone();
  void start_stage(std::size_t index);
  void check(std::string_view wrong);
  void fail(int status, std::string text) { on_failed(head_owner_, {status, std::move(text)}); }

  [[nodiscard]] bool is_filter(std::size_t index) const noexcept {
    return links_[index].conditions != nullptr;
  }
  /// A filter is at work on a HEAD: nobody is given bytes.
  [[nodiscard]] bool drops_bytes() const noexcept { return is_head_ && changed_; }
  /// The stage after `index` that is not out, or stages_.size().
  [[nodiscard]] std::size_t next_of(std::size_t index) const noexcept;
  [[nodiscard]] bool filters_rest() const noexcept;

  Owner& owner_;
  ResponseWriter& writer_;
  const Route* route_ = nullptr;
  const CallFacts* facts_ = nullptr;
  cgi::ResponseHead head_;
  LoopStage first_loop_stage_;
  std::vector<std::unique_ptr<LoopStage>> more_loop_stages_;  ///< For later requests too, in the order made.
  std::size_t loop_stages_used_ = 0;                          ///< Of more_loop_stages_.
  std::vector<std::unique_ptr<Stage>> owned_;                 ///< The others.
  std::vector<Stage*> stages_;
  std::vector<Link> links_;     ///< One for each stage.
  std::size_t started_ = 0;     ///< Stages below this were started, or are out.
  std::size_t head_owner_ = 0;  ///< The stage that may change the head; stages_.size(): the writer has it.
  std::size_t body_filter_ = npos;
  cgi::Preconditions conditions_;  ///< None where the source looks at them itself.
  BodyFields fields_;              ///< As the filter whose turn it is found them.
  std::string tag_;                ///< What the body has for an ETag once a filter changed it; empty: none.
  bool has_source_ = false;
  bool reads_ = false;    ///< GET or HEAD.
  bool is_head_ = false;  ///< HEAD.
  bool met_filter_ = false;
  bool all_out_ = false;  ///< The answer has no body that could be filtered.
  bool changed_ = false;  ///< A filter has taken the body over.
  bool flush_wanted_ = false;
  bool over_ = false;  ///< It failed, was cancelled, or was answered early: stages are not heard any more.
};

}  // namespace trivet::roles
