#include "runtime/roles/chain.hpp"

#include <algorithm>

#include "runtime/roles/blocking_stage.hpp"
#include "runtime/roles/thread_stage.hpp"

namespace trivet::roles {

Chain::Chain(Owner& owner, ResponseWriter& writer) : owner_(owner), writer_(writer) {}
Chain::~Chain() = default;

void Chain::build(const Route& route, bool with_source, bool body_to_filter, const CallFacts& facts) {
  head_.clear();
  started_ = head_owner_ = 0;
  body_filter_ = npos;
  failed_ = false;
  has_source_ = with_source && route.has_source();
  filters_change_body_ = !route.filters.empty();
  StageSink& sink = *this;
  const auto add = [&](const plugin::Plugin& plugin, StageRole role) {
    const std::size_t index = stages_.size();
    plugins_.push_back(&plugin);
    const bool takes_body = role == StageRole::filter && body_to_filter && body_filter_ == npos &&
                            plugin.filter()->body != nullptr;
    if (takes_body) body_filter_ = index;
    if (plugin.threads() == nullptr) {
      LoopStage* stage = &first_loop_stage_;
      if (index != 0) {
        owned_.push_back(std::make_unique<LoopStage>());
        stage = static_cast<LoopStage*>(owned_.back().get());
      }
      stage->set_up(sink, index, role, takes_body, plugin, facts);
      stages_.push_back(stage);
      return;
    }
    if (role == StageRole::responder && plugin.responder()->handle != nullptr) {
      owned_.push_back(std::make_unique<BlockingStage>(sink, index, plugin, facts));
    } else {
      owned_.push_back(std::make_unique<ThreadStage>(sink, index, role, takes_body, plugin, facts));
    }
    stages_.push_back(owned_.back().get());
  };
  if (has_source_ && route.own_source != nullptr) {
    owned_.push_back(route.own_source->open(sink, facts));
    stages_.push_back(owned_.back().get());
    plugins_.push_back(nullptr);
  } else if (has_source_) {
    add(*route.source, StageRole::responder);
  }
  for (const plugin::Plugin* filter : route.filters) add(*filter, StageRole::filter);
}

void Chain::start() { start_stage(0); }

void Chain::start_stage(std::size_t index) {
  started_ = index + 1;
  if (plugins_[index] != nullptr && plugins_[index]->is_suspended()) {
    on_failed(index, {500, "plugin \"" + plugins_[index]->name() +
                               "\" is not called for a while: it ended one worker after the other"});
    return;
  }
  stages_[index]->start();
}

cgi::ResponseHead* Chain::head(std::size_t index) noexcept { return index == head_owner_ ? &head_ : nullptr; }

void Chain::check(std::string_view wrong) {
  if (!wrong.empty()) on_failed(head_owner_, {500, "the response failed: " + std::string(wrong)});
}

/// A source's answer that filters cannot be put behind: a file that the web server would send itself, or a
/// coded body.
bool Chain::refuse_unfilterable() {
  static constexpr std::string_view sends_file[] = {
      "X-Accel-Redirect",         "X-Sendfile",   "X-Sendfile2", "X-LIGHTTPD-send-file",
      "X-LIGHTTPD-send-tempfile", "X-Reproxy-URL"};
  for (const std::string_view name : sends_file) {
    if (head_.find(name)) {
      on_failed(0, {502, "the source answered " + std::string(name) +
                             ", which would send a file past the filters"});
      return true;
    }
  }
  const auto coding = head_.find("Content-Encoding");
  if (coding && !coding->empty() && *coding != "identity") {
    on_failed(0, {502, "the source answered with Content-Encoding " + std::string(*coding) +
                           ", which filters cannot read"});
    return true;
  }
  return false;
}

bool Chain::pass_head_on(std::size_t index) {
  if (head_owner_ != index) return !failed_;
  if (index == 0 && has_source_ && filters_change_body_) {
    if (refuse_unfilterable()) return false;
    for (const std::string_view name : {"Content-Length", "ETag", "Last-Modified", "Accept-Ranges",
                                        "Content-MD5", "Digest", "Content-Digest", "Repr-Digest"}) {
      head_.remove(name);
    }
  }
  ++head_owner_;
  if (head_owner_ == stages_.size()) {
    check(writer_.begin(head_));
  } else {
    start_stage(head_owner_);
  }
  return !failed_;
}

void Chain::on_output(std::size_t index, base::Bytes bytes) {
  if (failed_ || bytes.empty() || !pass_head_on(index)) return;
  if (index + 1 == stages_.size()) {
    check(writer_.write(bytes));
  } else {
    stages_[index + 1]->input(StageInput::data, bytes);
  }
}

void Chain::on_flush(std::size_t index) {
  if (failed_ || !pass_head_on(index)) return;
  // A filter decides itself what it can give; what it has given goes out with it.
  if (head_owner_ == stages_.size()) writer_.flush();
}

void Chain::on_done(std::size_t index) {
  if (failed_ || !pass_head_on(index)) return;
  if (index + 1 < stages_.size()) {
    stages_[index + 1]->end_input(StageInput::data, TRIVET_END_COMPLETE);
    return;
  }
  if (const auto wrong = writer_.finish(); !wrong.empty()) {
    check(wrong);
  } else {
    owner_.on_chain_ended();
  }
}

void Chain::on_failed(std::size_t /*index*/, StageFailure failure) {
  if (failed_) return;
  failed_ = true;
  owner_.on_chain_failed(std::move(failure));
}

bool Chain::has_room_after(std::size_t index) const noexcept {
  for (std::size_t next = index + 1; next < started_; ++next) {
    if (!stages_[next]->has_room(StageInput::data)) return false;
  }
  return writer_.has_room();
}

void Chain::on_progress(std::size_t /*index*/) { owner_.on_chain_progress(); }

void Chain::resume() {
  for (std::size_t at = started_; at > 0 && !failed_; --at) stages_[at - 1]->resume();
}

void Chain::cancel() {
  failed_ = true;
  for (Stage* stage : stages_) stage->cancel();
}

bool Chain::busy() const noexcept {
  return std::any_of(stages_.begin(), stages_.end(), [](const Stage* stage) { return stage->busy(); });
}

bool Chain::waits_for_peer() const noexcept {
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
  plugins_.clear();
  owned_.clear();
  body_filter_ = npos;
  started_ = head_owner_ = 0;
}

}  // namespace trivet::roles
