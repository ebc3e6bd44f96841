#include "tests/unit/protocol/recorder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol {

namespace {

std::string_view name_of(Role role) {
  switch (role) {
    case Role::responder:
      return "responder";
    case Role::authorizer:
      return "authorizer";
    case Role::filter:
      return "filter";
  }
  return "?";
}

Outcome outcome_of(std::string_view bytes, std::size_t piece, std::size_t first,
                   const Recorder::Script& script) {
  Recorder recorder(script);
  recorder.feed(bytes.substr(0, first));
  for (std::size_t at = first; at < bytes.size(); at += piece) recorder.feed(bytes.substr(at, piece));
  return recorder.outcome();
}

}  // namespace

class Recorder::Input final : public RequestInput {
 public:
  Input(Recorder& recorder, std::uint16_t id) : recorder_(recorder), id_(id) {}

  // Nothing of *this may be used after a note: the script may have released the request.
  void on_params(base::Bytes bytes) override { recorder_.note_payload(id_, "params", bytes); }
  void on_params_end() override { recorder_.note(id_, "params_end", {}); }
  void on_body(base::Bytes bytes) override { recorder_.note_payload(id_, "body", bytes); }
  void on_body_end() override { recorder_.note(id_, "body_end", {}); }
  void on_data(base::Bytes bytes) override { recorder_.note_payload(id_, "data", bytes); }
  void on_data_end() override { recorder_.note(id_, "data_end", {}); }
  void on_aborted() override { recorder_.note(id_, "aborted", {}); }
  void on_violation(std::string_view what) override { recorder_.note(id_, "violation", what); }

 private:
  Recorder& recorder_;
  std::uint16_t id_;
};

Recorder::Recorder(Script script)
    : script_(std::move(script)), demultiplexer_(*this, out_, recorder_capacity) {}

Recorder::~Recorder() = default;

void Recorder::feed(base::Bytes bytes) {
  const auto block = std::make_unique<std::uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), block.get());
  const std::string_view failure = demultiplexer_.feed({block.get(), bytes.size()});
  std::fill_n(block.get(), bytes.size(), std::uint8_t{0xee});
  if (failure_.empty()) {
    failure_ = failure;
  } else {
    EXPECT_EQ(failure_, failure) << "a failed connection tells its reason again";
  }
}

void Recorder::release(std::uint16_t id) {
  demultiplexer_.release(id);
  inputs_.erase(id);
}

void Recorder::release_all() {
  demultiplexer_.release_all();
  inputs_.clear();
}

Outcome Recorder::outcome() const {
  return {events_,
          wire::text(out_.bytes()),
          failure_,
          demultiplexer_.open_requests(),
          demultiplexer_.ignored_records(),
          demultiplexer_.at_record_boundary()};
}

RequestInput* Recorder::on_begin(const BeginRequest& begin) {
  if (begin.id == refused_) {
    note(begin.id, "refused", {});
    return nullptr;
  }
  const auto [at, added] = inputs_.try_emplace(begin.id, std::make_unique<Input>(*this, begin.id));
  EXPECT_TRUE(added) << "BEGIN for an id that is open";
  RequestInput* const input = at->second.get();
  note(begin.id, "begin", std::string(name_of(begin.role)) + (begin.keep_connection ? " keep" : ""));
  return input;
}

void Recorder::on_unknown_role(std::uint16_t id, bool keep_connection) {
  note(id, "unknown_role", keep_connection ? "keep" : "");
}

void Recorder::note(std::uint16_t id, std::string_view what, std::string_view detail) {
  std::string event = std::to_string(id) + ' ' + std::string(what);
  if (!detail.empty()) event += ' ' + std::string(detail);
  events_.push_back(std::move(event));
  joined_.clear();
  if (script_) script_(*this, what, id);
}

void Recorder::note_payload(std::uint16_t id, std::string_view what, base::Bytes payload) {
  EXPECT_FALSE(payload.empty()) << "an empty payload could be taken for the end of the stream";
  const std::string stream = std::to_string(id) + ' ' + std::string(what);
  if (joined_ == stream) {
    events_.back() += base::as_text(payload);
  } else {
    events_.push_back(stream + ' ' + wire::text(payload));
    joined_ = stream;
  }
  if (script_) script_(*this, what, id);
}

std::ostream& operator<<(std::ostream& to, const Outcome& outcome) {
  to << "events:";
  for (const auto& event : outcome.events) to << "\n  " << testing::PrintToString(event);
  return to << "\nout " << testing::PrintToString(outcome.out) << "\nfailure \"" << outcome.failure
            << "\", open " << outcome.open << ", ignored " << outcome.ignored << ", at boundary "
            << outcome.at_boundary;
}

Outcome however_cut(std::string_view bytes, const Recorder::Script& script) {
  Outcome whole = outcome_of(bytes, bytes.size(), bytes.size(), script);
  EXPECT_EQ(outcome_of(bytes, 1, 0, script), whole) << "fed one byte at a time";
  for (std::size_t first = 1; first < bytes.size(); ++first) {
    const Outcome cut = outcome_of(bytes, bytes.size(), first, script);
    if (cut == whole) continue;
    ADD_FAILURE() << "cut after byte " << first << ": " << cut << "\nwhole: " << whole;
    break;
  }
  return whole;
}

void release_when_over(Recorder& recorder, std::string_view what, std::uint16_t id) {
  if (what == "aborted" || what == "violation" || recorder.demultiplexer().input_complete(id)) {
    recorder.release(id);
  }
}

}  // namespace trivet::protocol
