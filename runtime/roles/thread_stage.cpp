#include "runtime/roles/thread_stage.hpp"

#include <utility>

#include "runtime/plugin/current.hpp"

namespace trivet::roles {

ThreadStage::ThreadStage(StageSink& sink, std::size_t index, StageRole role, bool takes_body,
                         const plugin::Plugin& plugin, const CallFacts& facts)
    : sink_(&sink), plugin_(&plugin), facts_(&facts), patience_(*this), index_(index), role_(role) {
  call_.set_up(facts, plugin, role == StageRole::filter ? TRIVET_ROLE_FILTER : TRIVET_ROLE_RESPONDER);
  patience_.set(*facts.loop, plugin.timeout());
  lanes_.reset(role, takes_body);
}

ThreadStage::~ThreadStage() = default;

trivet_status ThreadStage::ThreadCall::write(std::string_view bytes) {
  if (cancelled()) return TRIVET_E_CANCELLED;
  if (stage_.work_.passes) return TRIVET_E_STATE;
  stage_.work_.out.append(bytes);
  return TRIVET_OK;
}

trivet_status ThreadStage::ThreadCall::flush() {
  if (cancelled()) return TRIVET_E_CANCELLED;
  if (stage_.work_.passes) return TRIVET_E_STATE;
  stage_.work_.flush = true;
  return TRIVET_OK;
}

trivet_status ThreadStage::ThreadCall::pass() {
  if (cancelled()) return TRIVET_E_CANCELLED;
  Work& work = stage_.work_;
  const bool opens = stage_.role_ == StageRole::filter && work.opens;
  if (!opens || work.flush || current_head() == nullptr) return TRIVET_E_STATE;
  work.passes = true;
  return TRIVET_OK;
}

cgi::ResponseHead* ThreadStage::ThreadCall::current_head() noexcept {
  // From the first output on the head belongs to what comes after.
  return stage_.work_.has_head && stage_.work_.out.empty() ? &stage_.work_.head : nullptr;
}

void ThreadStage::start() {
  started_ = true;
  pump();
}

bool ThreadStage::has_room(StageInput lane) const noexcept {
  return lanes_.lane(lane).waiting.size() < facts_->window;
}

void ThreadStage::input(StageInput lane, base::Bytes bytes) {
  if (given_up_) return;
  lanes_.lane(lane).waiting.append(bytes);
  pump();
}

void ThreadStage::end_input(StageInput lane, trivet_end end) {
  if (given_up_) return;
  lanes_.lane(lane).end = end;
  pump();
}

void ThreadStage::resume() { pump(); }

void ThreadStage::pump() {
  if (!started_ || job_out_) return;
  if (cancelled_.load()) {
    // Only the closing is left, on the thread that has the instance.
    if (state_ == State::open) submit();
    return;
  }
  if (given_up_ || state_ == State::over || !sink_->has_room_after(index_)) return;
  const Lanes::Lane& lane = lanes_.lane(lanes_.current());
  const bool end_pending = lane.end != TRIVET_END_NOT_YET && !lane.end_told;
  const bool responder = role_ == StageRole::responder;
  work_.produce = responder && (plugin_->responder()->body == nullptr || lanes_.all_told());
  if (state_ == State::created || !lane.waiting.empty() || end_pending || work_.produce) submit();
}

/// Puts what waits of the stream whose turn it is into the job.
void ThreadStage::take_input() {
  Lanes::Lane& lane = lanes_.lane(work_.lane);
  work_.in.swap(lane.waiting);
  if (!lane.end_told) work_.end = lane.end;
  if (work_.end != TRIVET_END_NOT_YET) lane.end_told = true;
}

void ThreadStage::submit() {
  work_.lane = lanes_.current();
  work_.in.clear();
  work_.end = TRIVET_END_NOT_YET;
  // Whether a filter takes part is known when it was opened: what there is for it stays here until then.
  if (state_ != State::created || role_ != StageRole::filter) take_input();
  work_.flush = work_.done = work_.opened = work_.passes = false;
  work_.status = TRIVET_OK;
  if (cgi::ResponseHead* head = sink_->head(index_)) {
    work_.head.swap(*head);
    work_.has_head = true;
  } else {
    work_.has_head = false;
  }
  job_out_ = true;
  plugin::Workers& threads = *plugin_->threads();
  if (pinned_) {
    threads.submit_to(thread_, *this);
    if (cancelled_.load()) threads.disown(*this);
  } else if (threads.submit(*this)) {
    plugin_->usage().began();
  } else {
    plugin_->usage().refused();
    job_out_ = false;
    give_up({503, "the queue of plugin \"" + plugin_->name() + "\" is full"});
    return;
  }
  if (!cancelled_.load()) patience_.run();
}

void ThreadStage::run(void* instance, std::uint32_t thread) {
  thread_ = thread;
  {
    const plugin::RouteScope route(facts_->route, facts_->column);
    call_hooks(instance);
  }
  work_.times = times();
  facts_->loop->post(*this);
}

void ThreadStage::call_hooks(void* instance) {
  if (!cancelled_.load() && work_.status == TRIVET_OK && state_ == State::created) {
    auto* open = role_ == StageRole::responder ? plugin_->responder()->open : plugin_->filter()->open;
    work_.opens = true;
    if (open != nullptr) work_.status = open(instance, call_.handle(), &state_of_plugin_);
    work_.opens = false;
    if (work_.status == TRIVET_OK) {
      state_ = State::open;
      work_.opened = true;
      work_.done = work_.passes;
    }
  }
  if (state_ == State::open && !work_.passes && !cancelled_.load() && work_.status == TRIVET_OK)
    call_data_hooks(instance);
  if (state_ == State::open && (work_.done || cancelled_.load() || work_.status != TRIVET_OK))
    call_close(instance);
}

void ThreadStage::call_data_hooks(void* instance) {
  const bool responder = role_ == StageRole::responder;
  auto* body = responder ? plugin_->responder()->body : plugin_->filter()->body;
  auto* hook = responder || work_.lane == StageInput::body ? body : plugin_->filter()->data;
  const auto give = [&](base::Bytes bytes, trivet_end end) {
    if (hook == nullptr || work_.status != TRIVET_OK || cancelled_.load()) return;
    work_.status = hook(instance, call_.handle(), state_of_plugin_, plugin::text(base::as_text(bytes)), end);
  };
  if (!work_.in.empty()) give(work_.in.bytes(), TRIVET_END_NOT_YET);
  if (work_.end != TRIVET_END_NOT_YET) {
    give({}, work_.end);
    if (!responder && work_.lane == StageInput::data) work_.done = true;
  }
  if (responder && work_.status == TRIVET_OK && (work_.produce || work_.end != TRIVET_END_NOT_YET)) {
    std::uint32_t done = 1;
    if (auto* room = plugin_->responder()->room) {
      work_.status = room(instance, call_.handle(), state_of_plugin_, &done);
    }
    work_.done = done != 0;
  }
}

void ThreadStage::call_close(void* instance) {
  auto* close = role_ == StageRole::responder ? plugin_->responder()->close : plugin_->filter()->close;
  if (close != nullptr) close(instance, call_.handle(), state_of_plugin_);
  state_of_plugin_ = nullptr;
  state_ = State::over;
}

void ThreadStage::run() {
  job_out_ = false;
  using Part = plugin::Usage::Part;
  plugin_->usage().took(work_.times, std::exchange(pinned_, true) ? Part::following : Part::first);
  patience_.pause();
  if (answering_) patience_.set(*facts_->loop, facts_->limits->stall_time);
  if (given_up_) {
    if (state_ == State::open) pump();
    sink_->on_progress(index_);
    return;
  }
  if (work_.has_head) {
    if (cgi::ResponseHead* head = sink_->head(index_)) head->swap(work_.head);
    work_.has_head = false;
  }
  if (work_.status != TRIVET_OK) {
    plugin_->usage().failed();
    give_up({500, call_.failure_text(work_.status)});
    sink_->on_progress(index_);
    return;
  }
  if (role_ == StageRole::filter && work_.opened) {
    if (work_.passes) {
      step_aside();
    } else {
      sink_->on_open(index_, false);
    }
    if (given_up_) {
      sink_->on_progress(index_);
      return;
    }
  }
  if (!work_.out.empty()) {
    // The head is decided: from here on each call has stall_time.
    answering_ = true;
    patience_.set(*facts_->loop, facts_->limits->stall_time);
    base::Buffer out;
    out.swap(work_.out);
    sink_->on_output(index_, out.bytes());
  }
  if (work_.flush && !given_up_) sink_->on_flush(index_);
  if (work_.done && !given_up_) {
    given_up_ = true;
    sink_->on_done(index_);
  }
  sink_->on_progress(index_);
}

/// Its plugin leaves the body as it is, and was closed. What came while it was asked goes on, in its order.
void ThreadStage::step_aside() {
  given_up_ = true;
  patience_.stop();
  Lanes::Lane& data = lanes_.lane(StageInput::data);
  base::Buffer waiting;
  waiting.swap(data.waiting);
  const trivet_end end = data.end;
  lanes_.release();
  sink_->on_open(index_, true);
  sink_->on_output(index_, waiting.bytes());
  if (end == TRIVET_END_SHORT) {
    sink_->on_failed(index_, {400, "the web server sent fewer bytes than it announced"});
  } else if (end != TRIVET_END_NOT_YET) {
    sink_->on_done(index_);
  }
}

void ThreadStage::give_up(StageFailure failure) {
  if (given_up_) return;
  given_up_ = true;
  patience_.stop();
  cancelled_.store(true);
  lanes_.release();
  if (!job_out_ && state_ == State::open) submit();
  sink_->on_failed(index_, std::move(failure));
}

void ThreadStage::on_patience_over(Patience& /*which*/) {
  if (given_up_ || !job_out_) return;
  plugin_->usage().timed_out();
  if (plugin_->threads()->withdraw(*this)) {
    job_out_ = false;
    work_.in.clear();
    give_up({504, "plugin \"" + plugin_->name() + "\" was not free within its timeout"});
  } else {
    give_up({504, "plugin \"" + plugin_->name() +
                      (answering_ ? "\" gave no more of its answer for stall_time"
                                  : "\" did not answer within its timeout")});
  }
  sink_->on_progress(index_);
}

void ThreadStage::cancel() {
  if (given_up_) return;
  given_up_ = true;
  patience_.stop();
  cancelled_.store(true);
  lanes_.release();
  if (job_out_ && plugin_->threads()->withdraw(*this)) job_out_ = false;
  if (!job_out_ && state_ == State::open) submit();
}

}  // namespace trivet::roles
