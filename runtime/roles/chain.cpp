#include "runtime/roles/chain.hpp"

#include <algorithm>

#include "runtime/roles/blocking_stage.hpp"
#include "runtime/roles/thread_stage.hpp"

/// The row itself: stages in order, bytes and ends from one to the next. What becomes of the head is in
/// chain_head.cpp.
namespace trivet::roles {

Chain::Chain(Owner& owner, ResponseWriter& writer) : owner_(owner), writer_(writer) {}
Chain::~Chain() = default;

void Chain::build(const Route& route, bool with_source, bool body_to_filter, const CallFacts& facts,
                  const CallFacts& source_facts) {
  route_ = &route;
  facts_ = &facts;
  head_.clear();
  started_ = head_owner_ = 0;
  body_filter_ = npos;
  tag_.clear();
  met_filter_ = all_out_ = changed_ = flush_wanted_ = over_ = false;
  is_head_ = reads_ = false;
  conditions_ = {};
  has_source_ = with_source && route.has_source();
  if (has_source_ && route.own_source != nullptr) {
    owned_.push_back(route.own_source->open(*this, source_facts));
    stages_.push_back(owned_.back().get());
    links_.emplace_back();
  } else if (has_source_) {
    add(*route.source, nullptr, false, source_facts);
  }
  if (route.filters.empty()) return;
  const std::string_view method = facts.params->get(cgi::KnownParam("REQUEST_METHOD"));
  is_head_ = method == "HEAD";
  reads_ = is_head_ || method == "GET";
  if (reads_ && has_filters_for(route.config, *facts.params))
    conditions_ = cgi::Preconditions::from(*facts.params);
  const std::string_view matched = matched_method(*facts.params);
  for (std::size_t i = 0; i < route.filters.size(); ++i) {
    const config::FilterStage& conditions = route.config.filter[i];
    const bool out = !takes_method(conditions, matched);
    const bool takes_body =
        !out && body_to_filter && body_filter_ == npos && route.filters[i]->filter()->body != nullptr;
    if (takes_body) body_filter_ = stages_.size();
    add(*route.filters[i], &conditions, takes_body, facts);
    links_.back().out = out;
  }
}

LoopStage& Chain::more_loop_stage() {
  if (loop_stages_used_ == more_loop_stages_.size())
    more_loop_stages_.push_back(std::make_unique<LoopStage>());
  return *more_loop_stages_[loop_stages_used_++];
}

void Chain::add(const plugin::Plugin& plugin, const config::FilterStage* conditions, bool takes_body,
                const CallFacts& facts) {
  StageSink& sink = *this;
  const std::size_t index = stages_.size();
  const StageRole role = conditions == nullptr ? StageRole::responder : StageRole::filter;
  links_.push_back({&plugin, conditions, false});
  if (plugin.threads() == nullptr) {
    LoopStage& stage = index == 0 ? first_loop_stage_ : more_loop_stage();
    stage.set_up(sink, index, role, takes_body, plugin, facts);
    stages_.push_back(&stage);
    return;
  }
  if (role == StageRole::responder && plugin.responder()->handle != nullptr) {
    owned_.push_back(std::make_unique<BlockingStage>(sink, index, plugin, facts));
  } else {
    owned_.push_back(std::make_unique<ThreadStage>(sink, index, role, takes_body, plugin, facts));
  }
  stages_.push_back(owned_.back().get());
}

void Chain::start() {
  if (has_source_) {
    start_stage(0);
  } else {
    take_turn();
  }
}

void Chain::start_stage(std::size_t index) {
  started_ = index + 1;
  const plugin::Plugin* plugin = links_[index].plugin;
  if (plugin != nullptr && plugin->is_suspended()) {
    fail(500,
         "plugin \"" + plugin->name() + "\" is not called for a while: it ended one worker after the other");
    return;
  }
  stages_[index]->start();
}

void Chain::input(StageInput lane, base::Bytes bytes) {
  if (drops_bytes()) return;
  if (links_.front().out) {
    on_output(0, bytes);
  } else {
    stages_.front()->input(lane, bytes);
  }
}

void Chain::end_input(StageInput lane, trivet_end end) {
  if (drops_bytes()) return;
  if (!links_.front().out) {
    stages_.front()->end_input(lane, end);
  } else if (end == TRIVET_END_SHORT) {
    on_failed(0, {400, "the web server sent fewer bytes than it announced"});
  } else {
    on_done(0);
  }
}

std::size_t Chain::next_of(std::size_t index) const noexcept {
  for (++index; index < stages_.size() && links_[index].out;) ++index;
  return index;
}

void Chain::on_output(std::size_t index, base::Bytes bytes) {
  if (over_ || bytes.empty()) return;
  const bool of_filter = is_filter(index) && !links_[index].out;
  if (is_head_ && of_filter) return;
  if (!pass_head_on(index) || drops_bytes()) return;
  if (const std::size_t next = next_of(index); next < stages_.size()) {
    stages_[next]->input(StageInput::data, bytes);
  } else {
    check(writer_.write(bytes));
  }
}

void Chain::on_flush(std::size_t index) {
  if (over_ || (is_head_ && is_filter(index)) || !pass_head_on(index) || drops_bytes()) return;
  // A filter decides itself what it can give; what it has given goes out with it. One on a thread gives it
  // later.
  if (head_owner_ == stages_.size() && filters_rest()) {
    writer_.flush();
  } else {
    flush_wanted_ = true;
  }
}

void Chain::on_done(std::size_t index) {
  if (over_ || !pass_head_on(index) || drops_bytes()) return;
  if (const std::size_t next = next_of(index); next < stages_.size()) {
    stages_[next]->end_input(StageInput::data, TRIVET_END_COMPLETE);
    return;
  }
  if (const auto wrong = writer_.finish(); !wrong.empty()) {
    check(wrong);
  } else {
    owner_.on_chain_ended();
  }
}

void Chain::on_failed(std::size_t /*index*/, StageFailure failure) {
  if (over_) return;
  over_ = true;
  owner_.on_chain_failed(std::move(failure));
}

void Chain::check(std::string_view wrong) {
  if (!wrong.empty()) fail(500, "the response failed: " + std::string(wrong));
}

bool Chain::has_room_after(std::size_t index) const noexcept {
  for (std::size_t next = index + 1; next < started_; ++next) {
    if (!links_[next].out && !stages_[next]->has_room(StageInput::data)) return false;
  }
  return writer_.has_room();
}

/// No filter has bytes that it has not given on.
bool Chain::filters_rest() const noexcept {
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (is_filter(i) && !links_[i].out && (stages_[i]->busy() || stages_[i]->kept() > 0)) return false;
  }
  return true;
}

void Chain::on_progress(std::size_t /*index*/) {
  if (flush_wanted_ && !over_ && head_owner_ == stages_.size() && filters_rest()) {
    flush_wanted_ = false;
    writer_.flush();
  }
  owner_.on_chain_progress();
}

void Chain::resume() {
  for (std::size_t at = started_; at > 0 && !over_; --at) stages_[at - 1]->resume();
}

void Chain::cancel() {
  over_ = true;
  for (Stage* stage : stages_) stage->cancel();
}

bool Chain::is_any_busy() const noexcept {
  return std::any_of(stages_.begin(), stages_.end(), [](const Stage* stage) { return stage->busy(); });
}

bool Chain::do_all_wait_for_peer() const noexcept {
  return std::all_of(stages_.begin(), stages_.end(),
                     [](const Stage* stage) { return stage->waits_for_peer(); });
}

std::size_t Chain::kept() const noexcept {
  std::size_t sum = 0;
  for (const Stage* stage : stages_) sum += stage->kept();
  return sum;
}

void Chain::clear() {
  stages_.clear();
  links_.clear();
  owned_.clear();
  loop_stages_used_ = 0;
  body_filter_ = npos;
  started_ = head_owner_ = 0;
}

}  // namespace trivet::roles
