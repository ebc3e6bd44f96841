#include <chrono>

#include "runtime/roles/chain.hpp"

/// The head on its way from the source through the filters to the writer.
namespace trivet::roles {
namespace {

constexpr std::uint32_t told_part = 1U << 8U;

cgi::UnixSeconds time_of_day() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool is_success(int status) noexcept { return status >= 200 && status <= 299; }

}  // namespace

cgi::ResponseHead* Chain::head(std::size_t index) noexcept { return index == head_owner_ ? &head_ : nullptr; }

bool Chain::pass_head_on(std::size_t index) {
  if (head_owner_ != index) return !over_;
  if (is_filter(index)) body_changes();
  ++head_owner_;
  take_turn();
  return !over_;
}

void Chain::take_turn() {
  while (!over_ && head_owner_ < stages_.size()) {
    const std::size_t index = head_owner_;
    if (has_part(index) && !met_filter_) meet_first_filter(index);
    if (over_) return;
    if (!has_part(index)) {
      links_[index].out = true;
      started_ = ++head_owner_;
      continue;
    }
    fields_.remember(head_);
    start_stage(index);
    return;
  }
  if (!over_) begin_answer();
}

/// Whether a filter's conditions fit. A coding that it cannot read may be a failure.
bool Chain::has_part(std::size_t index) {
  const Link& link = links_[index];
  if (link.out || all_out_ || !fits(*link.conditions, head_)) return false;
  const std::string_view coding = coding_of(head_);
  if (coding.empty() || link.plugin->takes_any_encoding()) return true;
  if (link.conditions->on_encoded == config::FilterStage::OnEncoded::fail) {
    fail(502, "the response has Content-Encoding " + std::string(coding) + ", which plugin \"" +
                  link.plugin->name() + "\" cannot read");
  }
  return false;
}

/// The head is still what the source, or the web server's data, said.
void Chain::meet_first_filter(std::size_t index) {
  met_filter_ = true;
  if (const std::string_view name = has_source_ ? file_sent_by(head_) : std::string_view(); !name.empty()) {
    fail(502, "the source answered " + std::string(name) + ", which would send a file past the filters");
    return;
  }
  const int status = status_of(head_);
  all_out_ = status == 204 || status == 206 || status == 304;
  if (reads_) make_tag(index);
  if (all_out_) {
    BodyFields::remove_validators(head_);
    if (status != 206) {
      if (status == 304 && !tag_.empty()) check(head_.set("ETag", tag_));
      return;
    }
    if ((route_->told & told_part) == 0) {
      route_->told |= told_part;
      facts_->log->warn("the source answers with a part that nobody asked it for: it is not filtered",
                        {{"route", facts_->route}, {"request", facts_->request_id}});
    }
    return;
  }
  if (!tag_.empty() && judge({tag_, {}}) == cgi::Condition::not_modified) {
    BodyFields::remove_validators(head_);
    check(head_.set("ETag", tag_));
    if (!over_) answer_not_modified();
  }
}

/// Which filters will have a part is not known before those ahead of them have run: all that may have one
/// have to be pure, and count.
void Chain::make_tag(std::size_t first) {
  PureTag tag(head_);
  for (std::size_t i = first; i < stages_.size(); ++i) {
    if (links_[i].out) continue;
    if (!links_[i].plugin->is_pure()) return;
    tag.add(links_[i].plugin->edition());
  }
  tag.write(tag_);
}

void Chain::on_open(std::size_t index, bool passes) {
  if (over_ || index != head_owner_) return;
  if (!passes && !is_head_) return;
  if (passes) {
    links_[index].out = true;
  } else {
    body_changes();
  }
  ++head_owner_;
  if (!passes) stages_[index]->cancel();
  take_turn();
}

void Chain::body_changes() {
  changed_ = true;
  fields_.remove_unchanged(head_);
  if (!tag_.empty() && is_success(status_of(head_)) && !head_.find("ETag")) check(head_.add("ETag", tag_));
}

cgi::Condition Chain::judge(const cgi::Validators& validators) const {
  if (!conditions_.any() || !is_success(status_of(head_))) return cgi::Condition::proceed;
  return cgi::evaluate(conditions_, validators, is_head_ ? "HEAD" : "GET", time_of_day());
}

void Chain::begin_answer() {
  if (conditions_.any()) {
    cgi::Validators validators;
    validators.etag = head_.find("ETag").value_or(std::string_view());
    if (const auto modified = head_.find("Last-Modified"))
      validators.last_modified = cgi::parse_http_date(*modified, time_of_day());
    switch (judge(validators)) {
      case cgi::Condition::proceed:
        break;
      case cgi::Condition::not_modified:
        answer_not_modified();
        return;
      case cgi::Condition::failed:
        fail(412, "the client asked on a condition that does not hold");
        return;
    }
  }
  if (drops_bytes()) {
    answer_head_alone();
  } else {
    check(writer_.begin(head_));
  }
}

void Chain::answer_not_modified() {
  head_.set_status(304);
  BodyFields::remove_for_not_modified(head_);
  answer_head_alone();
}

/// Whatever still works on the body is cancelled.
void Chain::answer_head_alone() {
  check(writer_.begin(head_));
  if (over_) return;
  if (const auto wrong = writer_.finish(); !wrong.empty()) {
    check(wrong);
    return;
  }
  over_ = true;
  owner_.on_chain_ended();
}

}  // namespace trivet::roles
