#include "runtime/roles/loop_stage.hpp"

namespace trivet::roles {

LoopStage::LoopStage() = default;
LoopStage::~LoopStage() { close(); }

void LoopStage::set_up(StageSink& sink, std::size_t index, StageRole role, bool takes_body,
                       const plugin::Plugin& plugin, const CallFacts& facts) {
  if (state_ == State::open) close();
  sink_ = &sink;
  plugin_ = &plugin;
  index_ = index;
  role_ = role;
  call_.set_up(facts, plugin, role == StageRole::filter ? TRIVET_ROLE_FILTER : TRIVET_ROLE_RESPONDER);
  lanes_.reset(role, takes_body);
  state_of_plugin_ = nullptr;
  state_ = State::created;
  inside_ = cancelled_ = wrote_ = passes_ = false;
}

trivet_status LoopStage::LoopCall::write(std::string_view bytes) {
  if (stage_.cancelled_) return TRIVET_E_CANCELLED;
  if (stage_.passes_) return TRIVET_E_STATE;
  stage_.wrote_ = stage_.wrote_ || !bytes.empty();
  stage_.sink_->on_output(stage_.index_, base::as_bytes(bytes));
  return stage_.cancelled_ ? TRIVET_E_CANCELLED : TRIVET_OK;
}

trivet_status LoopStage::LoopCall::flush() {
  if (stage_.cancelled_) return TRIVET_E_CANCELLED;
  if (stage_.passes_) return TRIVET_E_STATE;
  stage_.sink_->on_flush(stage_.index_);
  return TRIVET_OK;
}

trivet_status LoopStage::LoopCall::pass() {
  if (stage_.cancelled_) return TRIVET_E_CANCELLED;
  const bool opens = stage_.role_ == StageRole::filter && stage_.state_ == State::created && stage_.inside_;
  if (!opens || stage_.wrote_ || current_head() == nullptr) return TRIVET_E_STATE;
  stage_.passes_ = true;
  return TRIVET_OK;
}

cgi::ResponseHead* LoopStage::LoopCall::current_head() noexcept { return stage_.sink_->head(stage_.index_); }

plugin::CallScope LoopStage::scope_of_call() const noexcept {
  return {plugin_->current(), call_.facts().route, call_.facts().column};
}

void LoopStage::start() {
  plugin_->usage().began();
  const plugin::CallScope scope = scope_of_call();
  inside_ = true;
  trivet_status status = TRIVET_OK;
  if (role_ == StageRole::responder) {
    const trivet_responder& hooks = *plugin_->responder();
    if (hooks.handle != nullptr) {
      status = hooks.handle(plugin_->loop_instance(), call_.handle());
      inside_ = false;
      over(status);
      return;
    }
    if (hooks.open != nullptr)
      status = hooks.open(plugin_->loop_instance(), call_.handle(), &state_of_plugin_);
  } else if (plugin_->filter()->open != nullptr) {
    status = plugin_->filter()->open(plugin_->loop_instance(), call_.handle(), &state_of_plugin_);
  }
  inside_ = false;
  if (status != TRIVET_OK) {
    over(status);
    return;
  }
  state_ = State::open;
  if (passes_ && !cancelled_) {
    close();
    sink_->on_open(index_, true);
    return;
  }
  if (role_ == StageRole::filter && !cancelled_) sink_->on_open(index_, false);
  if (cancelled_) {
    close();
    return;
  }
  pump();
}

bool LoopStage::may_call() const noexcept {
  return state_ == State::open && !inside_ && !cancelled_ && sink_->has_room_after(index_);
}

trivet_status LoopStage::give(StageInput lane, base::Bytes bytes, trivet_end end) {
  const trivet_text chunk = plugin::text(base::as_text(bytes));
  void* self = plugin_->loop_instance();
  auto* hook = role_ == StageRole::responder ? plugin_->responder()->body
               : lane == StageInput::body    ? plugin_->filter()->body
                                             : plugin_->filter()->data;
  if (hook == nullptr) return TRIVET_OK;
  const plugin::CallScope scope = scope_of_call();
  inside_ = true;
  const trivet_status status = hook(self, call_.handle(), state_of_plugin_, chunk, end);
  inside_ = false;
  return status;
}

void LoopStage::input(StageInput lane, base::Bytes bytes) {
  if (state_ == State::over || cancelled_) return;
  Lanes::Lane& to = lanes_.lane(lane);
  if (to.waiting.empty() && lane == lanes_.current() && may_call()) {
    if (const trivet_status status = give(lane, bytes, TRIVET_END_NOT_YET); status != TRIVET_OK) over(status);
    if (cancelled_) close();
    return;
  }
  to.waiting.append(bytes);
}

void LoopStage::end_input(StageInput lane, trivet_end end) {
  if (state_ == State::over || cancelled_) return;
  lanes_.lane(lane).end = end;
  pump();
}

/// Gives one lane what waits in it, and its end. False when nothing more can be given now.
bool LoopStage::drain(Lanes::Lane& lane, StageInput which) {
  while (!lane.waiting.empty()) {
    if (!may_call()) return false;
    base::Buffer taken;
    taken.swap(lane.waiting);
    if (const trivet_status status = give(which, taken.bytes(), TRIVET_END_NOT_YET); status != TRIVET_OK) {
      over(status);
      return false;
    }
  }
  if (lane.end == TRIVET_END_NOT_YET || lane.end_told || !may_call()) return false;
  lane.end_told = true;
  if (const trivet_status status = give(which, {}, lane.end); status != TRIVET_OK) {
    over(status);
    return false;
  }
  return true;
}

void LoopStage::pump() {
  for (bool more = true; more;) {
    const StageInput which = lanes_.current();
    more = drain(lanes_.lane(which), which) && !lanes_.is_last(which);
  }
  if (state_ == State::open && !cancelled_ && !inside_) {
    if (role_ == StageRole::responder) {
      produce();
    } else if (lanes_.all_told()) {
      over(TRIVET_OK);
    }
  }
  if (cancelled_ && !inside_) close();
}

void LoopStage::produce() {
  const trivet_responder& hooks = *plugin_->responder();
  if (hooks.body != nullptr && !lanes_.all_told()) return;
  while (state_ == State::open && !inside_ && !cancelled_) {
    std::uint32_t done = 1;
    if (hooks.room != nullptr) {
      if (!sink_->has_room_after(index_)) return;
      const plugin::CallScope scope = scope_of_call();
      inside_ = true;
      const trivet_status status =
          hooks.room(plugin_->loop_instance(), call_.handle(), state_of_plugin_, &done);
      inside_ = false;
      if (status != TRIVET_OK) {
        over(status);
        return;
      }
    }
    if (done != 0 && !cancelled_) over(TRIVET_OK);
  }
}

void LoopStage::resume() { pump(); }

void LoopStage::over(trivet_status status) {
  plugin::end_if_forked();
  if (cancelled_) {
    close();
    return;
  }
  if (status == TRIVET_OK) {
    close();
    state_ = State::over;
    sink_->on_done(index_);
    return;
  }
  StageFailure failure;
  failure.text = call_.failure_text(status);  // Before close(), in which the plugin may say more.
  plugin_->usage().failed();
  close();
  state_ = State::over;
  sink_->on_failed(index_, std::move(failure));
}

void LoopStage::cancel() {
  cancelled_ = true;
  if (inside_) return;
  close();
  lanes_.release();  // The stage waits for another request, and keeps nothing of this one's meanwhile.
}

void LoopStage::close() {
  if (state_ == State::open && !inside_) {
    state_ = State::over;
    const plugin::CallScope scope = scope_of_call();
    inside_ = true;
    auto* hook = role_ == StageRole::responder ? plugin_->responder()->close : plugin_->filter()->close;
    if (hook != nullptr) hook(plugin_->loop_instance(), call_.handle(), state_of_plugin_);
    inside_ = false;
    state_of_plugin_ = nullptr;
  }
}

}  // namespace trivet::roles
