#include "runtime/roles/blocking_stage.hpp"

#include <utility>

#include "runtime/plugin/current.hpp"

namespace trivet::roles {
namespace {
constexpr std::chrono::milliseconds longest_hold{20};
}

BlockingStage::BlockingStage(StageSink& sink, std::size_t index, const plugin::Plugin& plugin,
                             const CallFacts& facts)
    : sink_(&sink), plugin_(&plugin), facts_(&facts), patience_(*this), index_(index) {
  call_.set_up(facts, plugin, TRIVET_ROLE_RESPONDER);
  patience_.set(*facts.loop, plugin.timeout());
}

BlockingStage::~BlockingStage() = default;

void BlockingStage::start() {
  if (cgi::ResponseHead* head = sink_->head(index_)) head_.swap(*head);
  job_out_ = true;
  if (!plugin_->threads()->submit(*this)) {
    plugin_->usage().refused();
    job_out_ = false;
    give_up({503, "the queue of plugin \"" + plugin_->name() + "\" is full"});
    return;
  }
  plugin_->usage().began();
  patience_.run();
  facts_->loop->timers().arm(peek_, facts_->loop->now() + longest_hold);
}

void BlockingStage::run(void* instance, std::uint32_t /*thread*/) {
  trivet_status status = TRIVET_E_CANCELLED;
  if (!cancelled_.load()) {
    const plugin::RouteScope route(facts_->route, facts_->column);
    status = plugin_->responder()->handle(instance, call_.handle());
  }
  Times took = times();
  took.ran -= idle_;
  bool told = false;
  {
    const std::lock_guard lock(mutex_);
    times_ = took;
    status_ = status;
    finished_ = true;
    told = std::exchange(posted_, true);
  }
  // Without the mutex, which the loop wants at once. Until it has run what is posted, the stage is busy.
  if (!told) facts_->loop->post(*this);
}

void BlockingStage::tell_loop() {
  if (posted_) return;
  posted_ = true;
  facts_->loop->post(*this);
}

trivet_status BlockingStage::read(trivet_text& chunk, trivet_end& end) {
  chunk = {nullptr, 0};
  end = TRIVET_END_NOT_YET;
  reading_.clear();
  std::unique_lock lock(mutex_);
  while (in_.empty() && end_ == TRIVET_END_NOT_YET && !cancelled_.load()) {
    // What was written so far may be what the peer waits for before it sends more.
    if (!out_.empty()) tell_loop();
    waiting_ = true;
    waiting_since_ = base::Clock::now();
    changed_.wait(lock);
    waiting_ = false;
    const base::Duration waited = base::Clock::now() - waiting_since_;
    waited_ += waited;
    idle_ += waited;
  }
  if (cancelled_.load()) return TRIVET_E_CANCELLED;
  if (in_.empty()) {
    end = end_;
    return TRIVET_OK;
  }
  moved_ = true;
  const bool was_full = in_.size() >= facts_->window;
  reading_.swap(in_);
  if (was_full) tell_loop();
  chunk = plugin::text(base::as_text(reading_.bytes()));
  return TRIVET_OK;
}

trivet_status BlockingStage::write(std::string_view bytes) {
  wrote_ = wrote_ || !bytes.empty();
  std::unique_lock lock(mutex_);
  while (!bytes.empty()) {
    while (out_.size() >= facts_->window && !cancelled_.load()) {
      tell_loop();
      const base::TimePoint since = base::Clock::now();
      changed_.wait(lock);
      idle_ += base::Clock::now() - since;
    }
    if (cancelled_.load()) return TRIVET_E_CANCELLED;
    const std::string_view piece = bytes.substr(0, facts_->window - out_.size());
    out_.append(piece);
    moved_ = true;
    bytes.remove_prefix(piece.size());
    if (tell_next_write_ || out_.size() >= facts_->window) {
      tell_next_write_ = false;
      tell_loop();
    }
  }
  return cancelled_.load() ? TRIVET_E_CANCELLED : TRIVET_OK;
}

trivet_status BlockingStage::BlockingCall::flush() {
  const std::lock_guard lock(stage_.mutex_);
  if (cancelled()) return TRIVET_E_CANCELLED;
  stage_.wrote_ = true;  // An early head is a decided head.
  stage_.flush_ = true;
  stage_.tell_loop();
  return TRIVET_OK;
}

cgi::ResponseHead* BlockingStage::BlockingCall::current_head() noexcept {
  return stage_.wrote_ ? nullptr : &stage_.head_;
}

void BlockingStage::input(StageInput /*lane*/, base::Bytes bytes) {
  if (given_up_) return;
  const std::lock_guard lock(mutex_);
  in_.append(bytes);
  if (waiting_) changed_.notify_all();
}

void BlockingStage::end_input(StageInput /*lane*/, trivet_end end) {
  if (given_up_) return;
  const std::lock_guard lock(mutex_);
  end_ = end;
  if (waiting_) changed_.notify_all();
}

bool BlockingStage::has_room(StageInput /*lane*/) const noexcept {
  const std::lock_guard lock(mutex_);
  return in_.size() < facts_->window;
}

std::size_t BlockingStage::kept() const noexcept {
  const std::lock_guard lock(mutex_);
  return in_.size();
}

bool BlockingStage::waits_for_peer() const noexcept {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

void BlockingStage::resume() {
  if (!given_up_) take();
}

/// Gives what the thread wrote to what comes next, if that has room.
void BlockingStage::take() {
  if (given_up_ || !sink_->has_room_after(index_)) return;
  base::Buffer taken;
  bool flush = false;
  bool finished = false;
  trivet_status status = TRIVET_OK;
  {
    const std::lock_guard lock(mutex_);
    if (out_.size() >= facts_->window) changed_.notify_all();
    taken.swap(out_);
    if (!taken.empty()) moved_ = false;
    flush = flush_;
    flush_ = false;
    finished = finished_;
    status = status_;
  }
  const bool failed = finished && status != TRIVET_OK;
  if (!head_taken_ && (!taken.empty() || flush || finished) && !(failed && taken.empty())) {
    head_taken_ = true;
    if (cgi::ResponseHead* head = sink_->head(index_)) head->swap(head_);
  }
  if (head_taken_ && (!taken.empty() || flush)) {
    patience_.set(*facts_->loop, facts_->limits->stall_time);
    patience_.run();
  }
  if (!taken.empty()) sink_->on_output(index_, taken.bytes());
  if (flush && !given_up_) sink_->on_flush(index_);
  if (!finished || given_up_) return;
  if (failed) {
    plugin_->usage().failed();
    give_up({500, call_.failure_text(status)});
  } else {
    given_up_ = true;
    patience_.stop();
    peek_.cancel();
    sink_->on_done(index_);
  }
}

void BlockingStage::run() {
  bool finished = false;
  Times took;
  {
    const std::lock_guard lock(mutex_);
    posted_ = false;
    finished = finished_;
    took = times_;
  }
  if (finished) {
    job_out_ = false;
    plugin_->usage().took(took, plugin::Usage::Part::first);
  }
  take();
  // What is written from now on is not told: it is looked for.
  if (!given_up_ && !finished && !peek_.armed())
    facts_->loop->timers().arm(peek_, facts_->loop->now() + longest_hold);
  sink_->on_progress(index_);
}

void BlockingStage::on_peek(base::TimePoint now) {
  if (given_up_) return;
  bool anything = false;
  {
    const std::lock_guard lock(mutex_);
    anything = !out_.empty();
    tell_next_write_ = !anything;
  }
  // Nothing to take: the next write says so itself, and this stops looking.
  if (anything) {
    facts_->loop->timers().arm(peek_, now + longest_hold);
    take();
    // It was held here already, so it is held nowhere else.
    if (!given_up_ && head_taken_) sink_->on_flush(index_);
    sink_->on_progress(index_);
  }
}

/// After the head: unless the peer is who is waited for, or something moved that this stage has not seen yet.
void BlockingStage::on_stall() {
  bool is_excused = !sink_->has_room_after(index_);
  {
    const std::lock_guard lock(mutex_);
    is_excused = is_excused || waiting_ || !out_.empty() || flush_ || finished_ || moved_;
    moved_ = false;
  }
  if (is_excused) {
    patience_.set(*facts_->loop, facts_->limits->stall_time);
    patience_.run();
    return;
  }
  plugin_->usage().timed_out();
  give_up({504, "plugin \"" + plugin_->name() + "\" gave no more of its answer for stall_time"});
  sink_->on_progress(index_);
}

void BlockingStage::on_patience_over(Patience& /*which*/) {
  if (given_up_) return;
  if (head_taken_) {
    on_stall();
    return;
  }
  base::Duration waited{};
  {
    const std::lock_guard lock(mutex_);
    waited = waited_;
    waited_ = {};
    if (waiting_) {
      const base::TimePoint now = base::Clock::now();
      waited += now - waiting_since_;
      waiting_since_ = now;
    }
  }
  if (waited > std::chrono::milliseconds(1)) {
    patience_.extend(waited);
    patience_.run();
    return;
  }
  plugin_->usage().timed_out();
  if (plugin_->threads()->withdraw(*this)) {
    job_out_ = false;
    give_up({504, "plugin \"" + plugin_->name() + "\" was not free within its timeout"});
  } else {
    give_up({504, "plugin \"" + plugin_->name() + "\" did not answer within its timeout"});
  }
  sink_->on_progress(index_);
}

void BlockingStage::give_up(StageFailure failure) {
  if (given_up_) return;
  cancel();
  sink_->on_failed(index_, std::move(failure));
}

void BlockingStage::cancel() {
  if (given_up_) return;
  given_up_ = true;
  patience_.stop();
  peek_.cancel();
  if (job_out_ && plugin_->threads()->withdraw(*this)) job_out_ = false;
  const std::lock_guard lock(mutex_);
  cancelled_.store(true);
  in_.release();
  out_.release();
  changed_.notify_all();
}

}  // namespace trivet::roles
