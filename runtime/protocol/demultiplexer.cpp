#include "runtime/protocol/demultiplexer.hpp"

#include <cassert>
#include <cstring>
#include <optional>

#include "runtime/protocol/encoder.hpp"

namespace trivet::protocol {

namespace {

constexpr std::size_t begin_body_size = 8;
constexpr std::uint8_t keep_connection_flag = 1;

std::optional<Role> known_role(unsigned number) noexcept {
  if (number < 1 || number > 3) return std::nullopt;
  return static_cast<Role>(number);
}

/// The stream that a phase waits for.
bool is_expected(RecordType type, InputPhase phase) noexcept {
  switch (phase) {
    case InputPhase::params:
      return type == RecordType::params;
    case InputPhase::body:
      return type == RecordType::standard_in;
    case InputPhase::data:
      return type == RecordType::data;
    case InputPhase::complete:
    case InputPhase::dropped:
      break;
  }
  return false;
}

/// Where the end of the stream that `phase` waits for leads to.
InputPhase phase_after(InputPhase phase, Role role) noexcept {
  if (phase == InputPhase::params && role != Role::authorizer) return InputPhase::body;
  if (phase == InputPhase::body && role == Role::filter) return InputPhase::data;
  return InputPhase::complete;
}

/// How a stream record breaks the order, before the input is complete.
std::string_view order_violation(RecordType type, InputPhase phase) noexcept {
  if (type == RecordType::params) return "FCGI_PARAMS after the end of FCGI_PARAMS";
  if (type == RecordType::data) return "FCGI_DATA before the end of FCGI_STDIN";
  return phase == InputPhase::params ? "FCGI_STDIN before the end of FCGI_PARAMS"
                                     : "FCGI_STDIN after the end of FCGI_STDIN";
}

}  // namespace

Demultiplexer::Demultiplexer(ConnectionEvents& events, base::Buffer& out, const Capacity& capacity) noexcept
    : events_(events), out_(out), capacity_(capacity) {}

Demultiplexer::~Demultiplexer() = default;

std::string_view Demultiplexer::feed(base::Bytes bytes) {
  while (failure_.empty()) {
    if (aside_ != nullptr) {
      keep_rest(bytes);
    } else if (base::Bytes content; decoder_.take_whole(bytes, content)) {
      take_record(content);
      continue;
    }
    if (bytes.empty() && decoder_.at_boundary()) return {};
    const RecordStep step = decoder_.next(bytes);
    switch (step.kind) {
      case RecordStep::Kind::more:
        return {};
      case RecordStep::Kind::header:
        if (aside_ != nullptr && is_for_later()) {
          keep_record({});
        } else {
          start_record();
        }
        break;
      case RecordStep::Kind::content:
        take_content(step.content);
        break;
      case RecordStep::Kind::end:
        finish_record();
        break;
      case RecordStep::Kind::wrong_version:
        fail("not FastCGI version 1");
        break;
    }
  }
  if (aside_ != nullptr) thaw_and_fail();
  return failure_;
}

/// What start_record(), take_content() and finish_record() do, for a record that came whole.
void Demultiplexer::take_record(base::Bytes content) {
  const RecordHeader& header = decoder_.header();
  const auto type = static_cast<RecordType>(header.type);
  OpenRequest* const request = requests_.find(header.request_id);  // Null for 0, which is never open.
  if (request != nullptr && is_expected(type, request->phase)) {
    // The usual case. Nothing follows the call, so nothing has to be known of a release() in it.
    if (content.empty()) return end_stream(*request);
    if (type == RecordType::params) return request->input->on_params(content);
    if (type == RecordType::standard_in) return request->input->on_body(content);
    return request->input->on_data(content);
  }
  if (type == RecordType::begin_request) {
    if (may_begin(request)) begin(content);
    return;
  }
  start_record();
  if (failure_.empty() && !content.empty()) take_content(content);
  if (failure_.empty()) finish_record();
}

void Demultiplexer::start_record() {
  action_ = Action::skip;
  target_ = nullptr;
  const RecordHeader& header = decoder_.header();
  switch (static_cast<RecordType>(header.type)) {
    case RecordType::begin_request:
      return start_begin();
    case RecordType::abort_request:
    case RecordType::params:
    case RecordType::standard_in:
    case RecordType::data:
      return start_input();
    case RecordType::get_values:
      if (header.request_id != 0) return ignore();
      action_ = Action::get_values;
      return;
    case RecordType::end_request:
    case RecordType::standard_out:
    case RecordType::standard_error:
    case RecordType::get_values_result:
    case RecordType::unknown_type:
      return fail("a record of a type that only an application sends");
  }
  // Every other number is a type that FastCGI may get one day: a management record is answered, so that the
  // peer learns of it (FastCGI 1.0, 4.2); that answer does not exist for the records of requests.
  if (header.request_id != 0) return ignore();
  append_unknown_type(out_, header.type);
}

void Demultiplexer::start_begin() {
  if (!may_begin(requests_.find(decoder_.header().request_id))) return;
  action_ = Action::begin;
  begin_held_ = 0;
}

/// Whether the header of a BEGIN_REQUEST is right, where `active` has its id. Otherwise it has failed.
bool Demultiplexer::may_begin(const OpenRequest* active) noexcept {
  const RecordHeader& header = decoder_.header();
  if (header.request_id == 0) {
    fail("FCGI_BEGIN_REQUEST with request id 0");
  } else if (header.content_length != begin_body_size) {
    fail("FCGI_BEGIN_REQUEST whose body is not 8 bytes");
  } else if (active != nullptr) {
    fail("FCGI_BEGIN_REQUEST for an active request id");
  } else {
    return true;
  }
  return false;
}

void Demultiplexer::start_input() {
  const RecordHeader& header = decoder_.header();
  if (header.request_id == 0) return fail("a record of a request with request id 0");
  OpenRequest* const request = requests_.find(header.request_id);
  if (request == nullptr || request->phase == InputPhase::dropped) return ignore();
  target_ = request->is_forgotten ? nullptr : request->input;
  const auto type = static_cast<RecordType>(header.type);
  if (type == RecordType::abort_request) {
    action_ = Action::abort;
    return;
  }
  start_stream(*request, type);
}

void Demultiplexer::start_stream(OpenRequest& request, RecordType type) {
  if (is_expected(type, request.phase)) {
    action_ = type == RecordType::params        ? Action::params
              : type == RecordType::standard_in ? Action::body
                                                : Action::data;
    return;
  }
  if (type == RecordType::data && request.role != Role::filter) return ignore();
  if (request.phase == InputPhase::complete) {
    // Servers differ in what an authorizer gets: no STDIN, an empty one, or the whole body of the client.
    const bool is_ordinary = type == RecordType::standard_in && request.role == Role::authorizer &&
                             decoder_.header().content_length == 0;
    if (!is_ordinary) ignore();
    return;
  }
  violate(request, order_violation(type, request.phase));
}

void Demultiplexer::take_content(base::Bytes content) {
  switch (action_) {
    case Action::skip:
    case Action::abort:
      break;
    case Action::begin:
      std::memcpy(begin_body_.data() + begin_held_, content.data(), content.size());
      begin_held_ = static_cast<std::uint8_t>(begin_held_ + content.size());
      break;
    case Action::params:
      target_->on_params(content);
      break;
    case Action::body:
      target_->on_body(content);
      break;
    case Action::data:
      target_->on_data(content);
      break;
    case Action::get_values:
      if (content.size() < decoder_.header().content_length) {
        gathered_.append(content);
        break;
      }
      action_ = Action::skip;
      answer_values(content);
      break;
  }
}

void Demultiplexer::finish_record() {
  switch (action_) {
    case Action::skip:
      break;
    case Action::begin:
      begin(begin_body_);
      break;
    case Action::abort:
      abort();
      break;
    case Action::params:
    case Action::body:
    case Action::data:
      if (decoder_.header().content_length == 0) finish_stream();
      break;
    case Action::get_values:
      answer_values(gathered_.bytes());
      gathered_.release();
      break;
  }
  action_ = Action::skip;
  target_ = nullptr;
}

/// `body` is that of a BEGIN_REQUEST, whole.
void Demultiplexer::begin(base::Bytes body) {
  const std::uint16_t id = decoder_.header().request_id;
  const bool keep_connection = (body[2] & keep_connection_flag) != 0;
  const auto role = known_role(static_cast<unsigned>(body[0]) << 8U | body[1]);
  if (!role) {
    append_end_request(out_, id, 0, ProtocolStatus::unknown_role);
    events_.on_unknown_role(id, keep_connection);
    return;
  }
  requests_.make_room();  // Before anybody knows of the request: should memory fail, nothing has begun.
  RequestInput* const input = events_.on_begin({id, *role, keep_connection});
  if (input != nullptr) requests_.insert({input, id, *role, InputPhase::params});
}

void Demultiplexer::finish_stream() {
  OpenRequest* const request = requests_.find(decoder_.header().request_id);
  assert(request != nullptr);
  end_stream(*request);
}

/// The phase changes before the call, in which the request may be released and the table change.
void Demultiplexer::end_stream(OpenRequest& request) {
  const InputPhase ended = request.phase;
  request.phase = phase_after(ended, request.role);
  switch (ended) {
    case InputPhase::params:
      return request.input->on_params_end();
    case InputPhase::body:
      return request.input->on_body_end();
    case InputPhase::data:
      return request.input->on_data_end();
    case InputPhase::complete:
    case InputPhase::dropped:
      break;
  }
  assert(false);
}

void Demultiplexer::abort() {
  OpenRequest* const request = requests_.find(decoder_.header().request_id);
  assert(request != nullptr);
  request->phase = InputPhase::dropped;
  if (target_ != nullptr) target_->on_aborted();
}

void Demultiplexer::violate(OpenRequest& request, std::string_view what) {
  request.phase = InputPhase::dropped;
  target_->on_violation(what);
}

void Demultiplexer::answer_values(base::Bytes query) {
  if (!append_get_values_result(out_, query, capacity_)) fail("FCGI_GET_VALUES with broken name-value pairs");
}

void Demultiplexer::release(std::uint16_t id) noexcept {
  if (requests_.erase(id) && decoder_.header().request_id == id) drop_rest_of_record();
}

void Demultiplexer::release_all() noexcept {
  if (requests_.find(decoder_.header().request_id) != nullptr) drop_rest_of_record();
  requests_.clear();
}

/// What is being taken has nobody to go to any more: its request was released.
void Demultiplexer::drop_rest_of_record() noexcept {
  target_ = nullptr;
  action_ = Action::skip;
}

bool Demultiplexer::forget(std::uint16_t id) noexcept {
  OpenRequest* const request = requests_.find(id);
  if (request == nullptr || request->phase != InputPhase::complete) return false;
  request->is_forgotten = true;
  if (decoder_.header().request_id == id) target_ = nullptr;
  return true;
}

bool Demultiplexer::at_record_boundary() const noexcept {
  return failure_.empty() && decoder_.at_boundary() && (aside_ == nullptr || aside_->bytes.empty());
}

std::size_t Demultiplexer::bytes_to_boundary() const noexcept {
  if (!failure_.empty()) return 0;
  return aside_ != nullptr && aside_->left != 0 ? aside_->left : decoder_.bytes_to_boundary();
}

std::size_t Demultiplexer::open_requests() const noexcept { return requests_.size(); }

bool Demultiplexer::input_complete(std::uint16_t id) const noexcept {
  const OpenRequest* const request = requests_.find(id);
  return request != nullptr && request->phase == InputPhase::complete;
}

std::uint64_t Demultiplexer::ignored_records() const noexcept { return ignored_; }

}  // namespace trivet::protocol
